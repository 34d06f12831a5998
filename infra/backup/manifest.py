"""The list of what one part of a backup has: each file with its digest, each folder and each link."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from credit.errors import Broken, Missing
from credit.files import write_atomically

NAME, FORM = "backup.json", 1


class BackedUpFile(msgspec.Struct, frozen=True):
    """One file, as it was when it was copied. ``sha256`` is of its bytes; times are in nanoseconds since 1970."""

    size: int
    modified: int
    inode: int
    mode: int
    owner: int
    group: int
    sha256: str

    def is_same(self, other: BackedUpFile) -> bool:
        """True when a file that looks so now has the bytes that were copied then."""
        return (self.size, self.modified, self.inode) == (other.size, other.modified, other.inode)


class BackedUpFolder(msgspec.Struct, frozen=True):
    """One folder: who may do what in it."""

    mode: int
    owner: int
    group: int


@dataclass(slots=True)
class Manifest:
    """What a part has, by path relative to the home."""

    made_at: datetime
    files: dict[str, BackedUpFile] = field(default_factory=dict)
    folders: dict[str, BackedUpFolder] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)

    @property
    def bytes(self) -> int:
        """The size of all files."""
        return sum(file.size for file in self.files.values())

    def write(self, folder: Path) -> None:
        """Write the list into the folder of the part."""
        write_atomically(folder / NAME, msgspec.json.encode(_Stored(FORM, **_fields(self))), mode=0o600)

    @classmethod
    def read(cls, folder: Path) -> Manifest:
        """The list of a part.

        Raises :class:`Missing` where the folder is no whole backup, and :class:`Broken` for a list that cannot be read.
        """
        path = folder / NAME
        if not path.is_file():
            raise Missing("backup.none-here", folder=folder)
        try:
            stored = msgspec.json.decode(path.read_bytes(), type=_Stored)
        except msgspec.MsgspecError as error:
            raise Broken("backup.list-unreadable", folder=folder) from error
        if stored.form != FORM:
            raise Broken("backup.list-unreadable", folder=folder)
        return cls(**_fields(stored))


class _Stored(msgspec.Struct, forbid_unknown_fields=True):
    form: int
    made_at: datetime
    files: dict[str, BackedUpFile]
    folders: dict[str, BackedUpFolder]
    links: dict[str, str]


def _fields(of: Manifest | _Stored) -> Mapping[str, Any]:
    return {name: getattr(of, name) for name in ("made_at", "files", "folders", "links")}
