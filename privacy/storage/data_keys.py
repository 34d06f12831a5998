"""Data keys (数据密钥): one for each table and period, wrapped by the master key, in a small file of its own.

Rotating the master key wraps these keys again and touches no data. Destroying the file of a key destroys the data
under it, in every copy of the encrypted files (crypto-shredding, 密钥销毁): nothing else leads to the key.
"""

from __future__ import annotations

import base64
import json
import os
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from credit.errors import Broken, Missing
from credit.files import sync_folder, write_atomically
from privacy.storage.encryption import derived
from privacy.storage.master_key import MasterKey


@dataclass(frozen=True, slots=True)
class DataKeys:
    """The folder of wrapped keys, ``<table>/<period>.key``, and the master key that opens them."""

    folder: Path
    master: MasterKey

    def key(self, table: str, period: str) -> bytes:
        """The 32 bytes of a data key.

        Raises :class:`Missing` when there is none (any more), and :class:`Broken` for another master key or a change.
        """
        path = self._path(table, period)
        if not path.exists():
            raise Missing("data-keys.no-key", table=table, period=period)
        return _unwrapped(path, self.master, _place(table, period))

    def key_or_new(self, table: str, period: str) -> bytes:
        """The data key, which is made where there is none; the caller has exclusive access."""
        path = self._path(table, period)
        if path.exists():
            return self.key(table, period)
        key = secrets.token_bytes(32)
        _write(path, self.master, key, _place(table, period))
        return key

    def destroy(self, table: str, period: str, generation: int) -> None:
        """Destroy a key: its file is overwritten, then removed. What it encrypted cannot be read any more.

        ``generation`` is that of the list of files from which the period is taken. It is kept in the key's place, so
        that an older list, which a backup brought back, is known to have files that cannot be read any more.
        """
        path = self._path(table, period)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path.with_suffix(".destroyed"), str(generation).encode(), mode=0o600)
        if not path.exists():
            return
        with path.open("r+b") as stream:
            stream.write(secrets.token_bytes(path.stat().st_size))
            stream.flush()
            os.fsync(stream.fileno())
        path.unlink()
        sync_folder(path.parent)

    def rewrap(self, new: MasterKey) -> int:
        """Wrap every key by ``new``; returns how many were under this master key still.

        A run that was stopped is run again: a key that is under the new master key already is left as it is.
        """
        changed = 0
        for path in self._paths():
            place = _place(path.parent.name, path.stem)
            if _read(path)["master"] == new.name:
                continue
            _write(path, new, _unwrapped(path, self.master, place), place)
            changed += 1
        return changed

    def destroyed(self) -> dict[tuple[str, str], int]:
        """The tables and periods whose key was destroyed, with the last list of files that had them."""
        marks = sorted(self.folder.glob("*/*.destroyed"))
        return {(path.parent.name, path.stem): int(path.read_bytes()) for path in marks}

    def exists(self, table: str) -> bool:
        """True when a table has a key."""
        return any((self.folder / table).glob("*.key"))

    def _paths(self) -> Iterator[Path]:
        yield from sorted(self.folder.glob("*/*.key"))

    def _path(self, table: str, period: str) -> Path:
        return self.folder / table / f"{period}.key"


def file_key(data_key: bytes, place: str) -> bytes:
    """The key of one file, derived from its place and random id.

    So no key encrypts two files, as AES-GCM demands, and a file in the place of another cannot be opened.
    """
    return derived(data_key, f"file {place}")


def _place(table: str, period: str) -> bytes:
    return f"{table}/{period}".encode()


def _read(path: Path) -> dict[str, str]:
    try:
        read = json.loads(path.read_bytes())
        return {"master": str(read["master"]), "wrapped": str(read["wrapped"])}
    except (ValueError, KeyError, TypeError) as error:
        raise Broken("data-keys.damaged", table=path.parent.name, period=path.stem) from error


def _unwrapped(path: Path, master: MasterKey, place: bytes) -> bytes:
    read = _read(path)
    if read["master"] != master.name:
        raise Broken("data-keys.another-master-key", table=path.parent.name, period=path.stem)
    try:
        wrapped = base64.b64decode(read["wrapped"], validate=True)
    except ValueError as error:
        raise Broken("data-keys.damaged", table=path.parent.name, period=path.stem) from error
    return master.unwrap(wrapped, place)


def _write(path: Path, master: MasterKey, key: bytes, place: bytes) -> None:
    content = {"master": master.name, "wrapped": base64.b64encode(master.wrap(key, place)).decode()}
    write_atomically(path, json.dumps(content).encode(), mode=0o600)
