"""One pass over a home that copies what a part of a backup does not have yet.

A second pass copies what changed since the first. A file that an earlier backup has, unchanged, is a hard link to it.
Links are copied as links and never followed; what is no file, folder or link has nothing to keep.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import BinaryIO

import msgspec

from credit.canonical import digest
from infra.backup.databases import copy_database, is_database
from infra.backup.manifest import BackedUpFile, BackedUpFolder, Manifest
from infra.backup.places import is_key, is_left_out
from infra.progress import ReportProgress

PIECE = 1 << 20  # bytes that are read at once
NOTE_EVERY = 1_000  # files


@dataclass(frozen=True, slots=True)
class EarlierBackup:
    """An earlier whole backup of the same part."""

    folder: Path
    manifest: Manifest


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a backup that is being made in ``folder``; ``copied`` are the names that this run copied."""

    folder: Path
    manifest: Manifest
    earlier: EarlierBackup | None = None
    databases: set[str] = field(default_factory=set, init=False)
    copied: set[str] = field(default_factory=set, init=False)

    def note(self) -> None:
        """Write down what is copied so far, so that a run that is stopped is gone on with."""
        os.sync()
        self.manifest.write(self.folder)

    def copy(self, home: Path, path: PurePosixPath, status: os.stat_result, *, databases: bool) -> bool:
        """Copy or link one file, folder or link of the home, if the part does not have it; True when it was copied."""
        name, target = str(path), self.folder / path
        if stat.S_ISDIR(status.st_mode):
            self.manifest.folders[name] = BackedUpFolder(stat.S_IMODE(status.st_mode), status.st_uid, status.st_gid)
            return False
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        if stat.S_ISLNK(status.st_mode):
            self.manifest.links[name] = os.readlink(home / path)
            return False
        looks, known = _looks(status), self.manifest.files.get(name)
        if name not in self.databases and known is not None and known.is_same(looks):
            return False
        if name in self.databases or is_database(home / path):
            self.databases.add(name)
            if databases:
                copy_database(home / path, target)
                self._enter(name, looks, target.stat().st_size, digest(target))
            return databases
        if self._linked(name, looks, target):
            return False
        target.unlink(missing_ok=True)  # it may be a hard link to an earlier backup
        with os.fdopen(os.open(home / path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as source:
            looks = _looks(os.fstat(source.fileno()))
            self._enter(name, looks, *copied_bytes(source, target))
        return True

    def _enter(self, name: str, looks: BackedUpFile, size: int, sha256: str) -> None:
        self.copied.add(name)
        self.manifest.files[name] = msgspec.structs.replace(looks, size=size, sha256=sha256)

    def _linked(self, name: str, looks: BackedUpFile, target: Path) -> bool:
        """Link the file of the earlier backup, where it is the same."""
        before = self.earlier.manifest.files.get(name) if self.earlier else None
        if before is None or self.earlier is None or not before.is_same(looks):
            return False
        target.unlink(missing_ok=True)
        try:
            os.link(self.earlier.folder / name, target)
        except OSError:  # gone, or a file system without hard links: it is copied
            return False
        self.manifest.files[name] = msgspec.structs.replace(looks, sha256=before.sha256)
        return True

    def drop_others(self, seen: set[str]) -> None:
        """Leave out what an earlier pass copied and the home does not have any more."""
        for name in self.manifest.files.keys() - seen:
            (self.folder / name).unlink(missing_ok=True)
            del self.manifest.files[name]
        for kept in (self.manifest.folders, self.manifest.links):
            for name in kept.keys() - seen:
                del kept[name]


def copy_pass(home: Path, data: Part, keys: Part, report: ReportProgress, *, databases: bool) -> int:
    """Make both parts what the home is now; returns how many files were copied.

    Without ``databases`` those are left for a later pass. What disappears meanwhile is left out.
    """
    parts, seen = (data, keys), (set[str](), set[str]())
    copied, noted = 0, len(data.manifest.files)
    for path, status in _everything(home, PurePosixPath()):
        which = int(is_key(path))
        seen[which].add(str(path))
        with suppress(FileNotFoundError):
            copied += parts[which].copy(home, path, status, databases=databases)
        if len(data.manifest.files) >= noted + NOTE_EVERY:
            noted = len(data.manifest.files)
            report("copying files", noted, 0)
            data.note()
    for part, names in zip(parts, seen, strict=True):
        part.drop_others(names)
    return copied


def copied_bytes(source: BinaryIO, target: Path) -> tuple[int, str]:
    """Copy a stream into a new file that its owner alone can read; returns the size and the SHA-256 of its bytes."""
    seen, size = hashlib.sha256(), 0
    with target.open("xb") as writing:
        os.fchmod(writing.fileno(), 0o600)
        while piece := source.read(PIECE):
            seen.update(piece)
            size += writing.write(piece)
    return size, seen.hexdigest()


def _everything(home: Path, below: PurePosixPath) -> Iterator[tuple[PurePosixPath, os.stat_result]]:
    """Every folder of a home, the home itself among them, and what is in it: files and links that a backup has."""
    try:
        yield below, os.stat(home / below, follow_symlinks=False)
        entries = sorted(os.scandir(home / below), key=lambda entry: entry.name)
    except FileNotFoundError:
        return
    for entry in entries:
        path = below / entry.name
        if is_left_out(path):
            continue
        try:
            status = entry.stat(follow_symlinks=False)
        except FileNotFoundError:
            continue
        if stat.S_ISDIR(status.st_mode):
            yield from _everything(home, path)
        elif stat.S_ISREG(status.st_mode) or stat.S_ISLNK(status.st_mode):
            yield path, status


def _looks(status: os.stat_result) -> BackedUpFile:
    mode = stat.S_IMODE(status.st_mode)
    return BackedUpFile(status.st_size, status.st_mtime_ns, status.st_ino, mode, status.st_uid, status.st_gid, "")
