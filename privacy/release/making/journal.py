"""What a release has finished: a process that is killed leaves it to the next one, which makes the rest alone.

A finished file is entered with its digest after it is written; a file that is in no entry, or that is not what its
entry says, is made again. The entries are encrypted and authenticated one by one under a data key of the vault and the
digest of all that the release depends on, so that no other release, and no other writer, can have made one.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from credit.canonical import digest
from privacy.storage.encryption import NotDecrypted, decrypted, encrypted


@dataclass(slots=True)
class ReleaseJournal:
    """The folder of one release that is being made, and what is finished in it.

    ``plan`` is the digest of all that the release depends on, ``key`` 32 bytes.
    """

    folder: Path
    plan: str
    key: bytes = field(repr=False)
    entries: list[dict[str, Any]] = field(default_factory=list, init=False)

    def __post_init__(self) -> None:
        self.files.mkdir(exist_ok=True)
        whole = 0  # the length of the entries that are whole: the last one may have been cut off
        for line in self._path.read_bytes().splitlines(keepends=True) if self._path.exists() else ():
            try:
                clear = decrypted(self.key, base64.b64decode(line.removesuffix(b"\n"), validate=True), self._place())
            except (NotDecrypted, ValueError):
                break
            if not line.endswith(b"\n"):
                break
            self.entries.append(json.loads(clear))
            whole += len(line)
        with self._path.open("ab") as stream:
            stream.truncate(whole)
        entered = {each["file"] for each in self.entries if "file" in each}
        for path in sorted(self.files.rglob("*")):  # half-written ones, and the manifest of a sealing that was stopped
            if path.is_file() and path.relative_to(self.files).as_posix() not in entered:
                path.unlink()

    @property
    def files(self) -> Path:
        """The folder of the files that are sealed in the end."""
        return self.folder / "files"

    def parts(self, table: str) -> Path:
        """The folder of the rows of a table, by bucket, before they are sorted."""
        return self.folder / "parts" / table

    def finished_files(self, table: str) -> set[str]:
        """The files of a table that are finished and unchanged, relative to ``files``."""
        entered = {each["file"]: each["digest"] for each in self.entries if each.get("of") == table}
        return {name for name in entered if (self.files / name).exists() and digest(self.files / name) == entered[name]}

    def enter_file(self, table: str, name: str) -> None:
        """Say that a file of a table is finished."""
        self._enter({"of": table, "file": name, "digest": digest(self.files / name)})

    def finished_table(self, table: str) -> dict[str, Any] | None:
        """What was entered about a table as a whole; None while it is not finished."""
        entered = [each["description"] for each in self.entries if each.get("table") == table]
        return entered[-1] if entered else None

    def enter_table(self, table: str, description: dict[str, Any]) -> None:
        """Say that a table is finished, with what its seal says of it."""
        self._enter({"table": table, "description": description})

    def _enter(self, entry: dict[str, Any]) -> None:
        line = base64.b64encode(encrypted(self.key, json.dumps(entry).encode(), self._place()))
        with self._path.open("ab") as stream:
            stream.write(line + b"\n")
        self.entries.append(entry)

    def _place(self) -> bytes:
        return f"release {self.plan} {len(self.entries)}".encode()

    @property
    def _path(self) -> Path:
        return self.folder / "journal"
