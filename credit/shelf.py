"""Shelf: where zones leave sealed folders for each other. One side writes, the other reads; nothing is ever half there.

::

    <root>/<kind>/<64 hex>/manifest.json     the signed manifest
    <root>/<kind>/<64 hex>/…                 the files it names
    <root>/pointers/<name>.json              a signed word on which seal is current, with a sequence number
    <root>/.making/…                         folders being made; swept when their maker is gone
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import uuid
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any

from credit.actor import Actor
from credit.canonical import canonical, digest
from credit.envelope import unwrap, wrap
from credit.errors import Broken, Lapsed, Malformed, Missing
from credit.files import sync_folder, write_whole
from credit.keys import KeyRing, SigningKey
from credit.seal import Kind, Seal, from_envelope, identify, require_signer, to_envelope

MANIFEST = "manifest.json"
POINTER = "application/vnd.haihe.pointer+json"
DESTROYED, DESTROYERS = "destroyed", frozenset({"platform"})  # the pointer on a seal whose files are gone
_NOTHING: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Opened:
    """A sealed folder whose signature, and unless told otherwise every file, has been verified."""

    seal: Seal
    path: Path


@dataclass(frozen=True, slots=True)
class Shelf:
    """A folder of sealed folders. ``ring`` is what signatures are verified with."""

    root: Path
    ring: KeyRing

    @contextmanager
    def making(self) -> Iterator[Path]:
        """A folder to make something in; gone afterwards unless it was :meth:`put`."""
        making = self.root / ".making"
        making.mkdir(parents=True, exist_ok=True)
        _sweep(making)
        folder = making / f"{os.getpid()}-{uuid.uuid4().hex}"
        folder.mkdir()
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def put(
        self,
        folder: Path,
        kind: Kind,
        *,
        parents: tuple[str, ...],
        terms: Mapping[str, Any],
        expires_on: date,
        by: Actor,
        key: SigningKey,
        taken: Mapping[str, str] = _NOTHING,
    ) -> Seal:
        """Seal what is in ``folder`` and move it onto the shelf in one act.

        The same content put twice is one seal, and the first maker stays its maker. ``taken`` are files taken over from
        another seal with the digests that it gives them; raises :class:`Broken` when one has another by now.
        """
        require_signer(kind, key)  # before anything else: also when the very same content is here already
        plain = json.loads(canonical(terms))
        files = {name: digest(folder / name) for name in _names(folder)}
        if changed := sum(files.get(name) != wanted for name, wanted in taken.items()):
            raise Broken("shelf.not-sealed", kind=kind, changed=changed)
        seal_id = identify(kind, parents, expires_on, plain, files)
        place = self.place(seal_id)
        if not place.exists():
            seal = Seal(seal_id, kind, parents, by, datetime.now(UTC).replace(microsecond=0), expires_on, plain, files)
            write_whole(folder / MANIFEST, canonical(to_envelope(seal, key)))
            for name in files:
                _sync(folder / name)
            place.parent.mkdir(parents=True, exist_ok=True)
            try:
                os.rename(folder, place)
            except OSError:
                if not place.exists():  # somebody else put the very same content first: then theirs stays
                    raise
            sync_folder(place.parent)
        return self.open(seal_id, deep=False).seal

    def open(self, name: str, *, today: date | None = None, deep: bool = True) -> Opened:
        """Find a seal by id or by a prefix of it that only one has, and verify it.

        ``deep`` digests every file again; ``today`` refuses a seal that has ended (:class:`Lapsed`). Raises
        :class:`Missing`, :class:`Broken`, or :class:`Malformed` when the prefix fits several. Files that were destroyed
        in time (``credit.destruction``) are :class:`Lapsed`; a manifest alone can be opened still.
        """
        place = self.place(self._resolve(name))
        seal = self._manifest(place)
        if place.name != seal.id.partition("-")[2]:
            raise Broken("shelf.sealed-folder-stands-in-another", place_name=place.name[:12], seal_short=seal.short)
        if deep:
            if (word := self.pointer(f"{DESTROYED}-{seal.id}", DESTROYERS)) is not None:
                raise Lapsed("shelf.destroyed", kind=seal.kind, seal_short=seal.short, word=word["on"])
            verify_files(seal, place)
        if today is not None:
            seal.require_alive(today)
        return Opened(seal, place)

    def list(self, kind: Kind) -> list[Seal]:
        """Every seal of a kind, the oldest first (signatures verified, files not)."""
        places = (self.root / kind).glob("*") if (self.root / kind).is_dir() else ()
        return sorted((self._manifest(place) for place in places), key=lambda seal: (seal.made_at, seal.id))

    def point(self, name: str, payload: Mapping[str, Any], key: SigningKey) -> dict[str, Any]:
        """Say which seal is current under ``name``: signed, whole, and one more in sequence than the last word."""
        path = self.root / "pointers" / f"{name}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        with (path.parent / ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            before = self.pointer(name, {key.zone})
            said = {**payload, "name": name, "sequence": (before["sequence"] if before else 0) + 1}
            write_whole(path, canonical(wrap(said, POINTER, key)))
        return said

    def pointer(self, name: str, zones: Collection[str]) -> dict[str, Any] | None:
        """The last word under ``name`` if a key of one of ``zones`` signed it; None when nothing was said."""
        path = self.root / "pointers" / f"{name}.json"
        if not path.exists():
            return None
        payload = unwrap(_read_json(path), POINTER, self.ring, zones)
        if payload.get("name") != name:
            raise Broken("shelf.pointer-another", name=name)
        return payload

    def _manifest(self, place: Path) -> Seal:
        if not (place / MANIFEST).is_file():
            raise Broken("shelf.sealed-folder-no-manifest", why=place.name[:12])
        return from_envelope(_read_json(place / MANIFEST), self.ring)

    def place(self, seal_id: str) -> Path:
        """The folder of a seal, whether or not it is there."""
        kind, _, code = seal_id.partition("-")
        return self.root / kind / code

    def _resolve(self, name: str) -> str:
        kind, dash, start = name.partition("-")
        if not dash or kind not in set(Kind) or not start or not set(start) <= set("0123456789abcdef"):
            raise Malformed("shelf.not-id-seal")
        found = [start] if (self.root / kind / start).is_dir() else []
        found = found or [place.name for place in (self.root / kind).glob(f"{start}*")]
        if not found:
            raise Missing("shelf.no-on-shelf", kind=kind, start=start[:12])
        if len(found) > 1:
            raise Malformed("shelf.seals-begin-so", why=name, found_count=len(found))
        return f"{kind}-{found[0]}"


def verify_files(seal: Seal, place: Path) -> None:
    """Digest every file again; raises :class:`Broken` on a changed, a missing or an extra one."""
    there = set(_names(place)) - {MANIFEST}
    for name in sorted(there ^ set(seal.files)):
        fault = "is missing" if name in seal.files else "was added"
        raise Broken("shelf.not-whole", kind=seal.kind, seal_short=seal.short, name=name, fault=fault)
    for name, wanted in sorted(seal.files.items()):
        if digest(place / name) != wanted:
            raise Broken("shelf.changed", kind=seal.kind, seal_short=seal.short, name=name)


def _names(folder: Path) -> list[str]:
    found = sorted(folder.rglob("*"))
    for path in found:
        if path.is_symlink():
            raise Broken("shelf.sealed-folder-may-not-hold", why=path.name)
    return [path.relative_to(folder).as_posix() for path in found if path.is_file()]


def _read_json(path: Path) -> Any:
    try:
        return json.loads(path.read_bytes())
    except ValueError as error:
        raise Broken("shelf.cannot-be-read", path_name=path.name) from error


def _sync(path: Path) -> None:
    with path.open("rb") as stream:
        os.fsync(stream.fileno())


def _sweep(making: Path) -> None:
    """Remove what a killed maker left behind: its process is gone, or the number is ours again."""
    for folder in making.iterdir():
        owner = folder.name.partition("-")[0]
        if owner.isdigit() and not Path(f"/proc/{owner}").exists():
            shutil.rmtree(folder, ignore_errors=True)
