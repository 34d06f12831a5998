"""Destruction (销毁): the files of an expired seal are deleted; its manifest stays, with a signed destruction record.

Personal information is kept no longer than its purpose needs (PIPL arts. 19 and 47). A score can still be traced: a
manifest holds no data, and its signature, its parents and the digests of its former files still verify.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import date

from credit.errors import Refused
from credit.files import sync_folder
from credit.keys import SigningKey
from credit.seal import Seal
from credit.shelf import DESTROYED, DESTROYERS, MANIFEST, Shelf


@dataclass(frozen=True, slots=True)
class DestructionRecord:
    """The platform's signed record: the day of the destruction, and the id of the excerpt that was kept, or None."""

    on: date
    excerpt: str | None


def destruction_record(shelf: Shelf, seal_id: str) -> DestructionRecord | None:
    """The destruction record of a seal, or None while its files exist. Raises :class:`Broken` if it does not verify."""
    data = shelf.pointer(f"{DESTROYED}-{seal_id}", DESTROYERS)
    return None if data is None else DestructionRecord(date.fromisoformat(data["on"]), data.get("excerpt"))


def record_destruction(shelf: Shelf, seal: Seal, *, on: date, key: SigningKey, excerpt: str | None = None) -> None:
    """Record that a seal is destroyed; a record that exists stays. The files are deleted after it.

    When a run is killed in between it is run again, and no reader takes the half-deleted folder for a damaged one.
    """
    if destruction_record(shelf, seal.id) is None:
        shelf.set_pointer(f"{DESTROYED}-{seal.id}", {"on": on.isoformat(), "excerpt": excerpt}, key)


def delete_files(shelf: Shelf, seal: Seal) -> int:
    """Delete every file of a seal except its manifest, once its destruction is recorded. Returns the bytes freed.

    Raises :class:`Refused` for a seal whose destruction is not recorded.
    """
    if destruction_record(shelf, seal.id) is None:
        raise Refused("destruction.not-recorded", seal_short=seal.short)
    folder, freed = shelf.folder_of(seal.id), 0
    for path in sorted(folder.iterdir()):
        if path.name == MANIFEST:
            continue
        inside = [path, *path.rglob("*")] if path.is_dir() else [path]
        stats = [each.stat() for each in inside if each.is_file()]
        freed += sum(stat.st_size for stat in stats if stat.st_nlink == 1)  # a linked file belongs to another seal too
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    sync_folder(folder)
    return freed


def is_emptied(shelf: Shelf, seal: Seal) -> bool:
    """True when only the manifest is left."""
    return [path.name for path in shelf.folder_of(seal.id).iterdir()] == [MANIFEST]
