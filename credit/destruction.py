"""Destruction (销毁): the files of a seal whose time is over go; its manifest stays, with a signed word that says so.

Nothing is kept longer than what it is for (PIPL art. 19, 47), and still a score can be traced: a manifest holds no
data, and its signature, its parents and the digests of what was there verify as before.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import date

from credit.files import sync_folder
from credit.keys import SigningKey
from credit.seal import Seal
from credit.shelf import DESTROYED, DESTROYERS, MANIFEST, Shelf


@dataclass(frozen=True, slots=True)
class Destroyed:
    """The platform's word: on which day, and the seal of what was kept of it, if anything was."""

    on: date
    excerpt: str | None


def destroyed(shelf: Shelf, seal_id: str) -> Destroyed | None:
    """The word on a seal; None while its files are there. Raises :class:`Broken` when it does not verify."""
    told = shelf.pointer(f"{DESTROYED}-{seal_id}", DESTROYERS)
    return None if told is None else Destroyed(date.fromisoformat(told["on"]), told.get("excerpt"))


def destroy(shelf: Shelf, seal: Seal, *, on: date, key: SigningKey, excerpt: str | None = None) -> int:
    """Say that it is destroyed, then remove every file but the manifest; the bytes that were freed.

    The word comes first: a run that was killed is run again, and nobody takes what is half there for damaged.
    """
    place = shelf.place(seal.id)
    if destroyed(shelf, seal.id) is None:
        shelf.point(f"{DESTROYED}-{seal.id}", {"on": on.isoformat(), "excerpt": excerpt}, key)
    freed = 0
    for path in sorted(place.iterdir()):
        if path.name == MANIFEST:
            continue
        found = [path, *path.rglob("*")] if path.is_dir() else [path]
        told = [one.stat() for one in found if one.is_file()]
        freed += sum(stat.st_size for stat in told if stat.st_nlink == 1)  # another seal may hold the very same file
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    sync_folder(place)
    return freed


def is_emptied(shelf: Shelf, seal: Seal) -> bool:
    """Whether nothing but the manifest is left."""
    return [path.name for path in shelf.place(seal.id).iterdir()] == [MANIFEST]
