"""One pass over a home that copies what a part of a backup does not have yet.

A second pass copies what changed since the first. A file that an earlier backup has, unchanged, is a hard link to it.
Links are copied as links and never followed; what is no file, folder or link has nothing to keep.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from infra.backup.databases import copy_database, is_database
from infra.backup.manifest import BackedUpFile, BackedUpFolder, Manifest
from infra.backup.places import is_left_out
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
    """A part of a backup that is being made in ``folder``; ``has`` says which paths of the home belong to it."""

    folder: Path
    manifest: Manifest
    has: Callable[[PurePosixPath], bool]
    earlier: EarlierBackup | None = None
    databases: set[str] = field(default_factory=set, init=False)
    copied: set[str] = field(default_factory=set, init=False)

    def copy(self, home: Path, report: ReportProgress, *, databases: bool) -> int:
        """Make the part what the home is now; returns how many files were copied, whose names are in ``copied``.

        Without ``databases`` those are left for a later pass. What disappears meanwhile is left out.
        """
        seen: set[str] = set()
        copied, noted = 0, len(self.manifest.files)
        for path, status in _everything(home, PurePosixPath()):
            if not self.has(path) and not stat.S_ISDIR(status.st_mode):
                continue
            seen.add(str(path))
            with suppress(FileNotFoundError):
                if self._copy_one(home, path, status, databases):
                    copied += 1
                    self.copied.add(str(path))
            if len(self.manifest.files) >= noted + NOTE_EVERY:
                noted = len(self.manifest.files)
                report("copying files", noted, 0)
                self.note()
        self._drop(seen)
        return copied

    def note(self) -> None:
        """Write down what is copied so far, so that a run that is stopped is gone on with."""
        os.sync()
        self.manifest.write(self.folder)

    def _copy_one(self, home: Path, path: PurePosixPath, status: os.stat_result, databases: bool) -> bool:
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
                self.manifest.files[name] = _with_digest(looks, target)
            return databases
        if self._linked(name, looks, target):
            return False
        self.manifest.files[name] = _copied(home / path, target)
        return True

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
        self.manifest.files[name] = BackedUpFile(
            looks.size, looks.modified, looks.inode, looks.mode, looks.owner, looks.group, before.sha256
        )
        return True

    def _drop(self, seen: set[str]) -> None:
        """Leave out what an earlier pass copied and the home does not have any more."""
        for name in self.manifest.files.keys() - seen:
            (self.folder / name).unlink(missing_ok=True)
            del self.manifest.files[name]
        for kept in (self.manifest.folders, self.manifest.links):
            for name in kept.keys() - seen:
                del kept[name]


def _everything(home: Path, below: PurePosixPath) -> Iterator[tuple[PurePosixPath, os.stat_result]]:
    """Every file, folder and link of a home that a backup has, a folder before what is in it."""
    try:
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
            yield path, status
            yield from _everything(home, path)
        elif stat.S_ISREG(status.st_mode) or stat.S_ISLNK(status.st_mode):
            yield path, status


def _looks(status: os.stat_result) -> BackedUpFile:
    mode = stat.S_IMODE(status.st_mode)
    return BackedUpFile(status.st_size, status.st_mtime_ns, status.st_ino, mode, status.st_uid, status.st_gid, "")


def _copied(source: Path, target: Path) -> BackedUpFile:
    """Copy a file; its digest is of the bytes that were written."""
    target.unlink(missing_ok=True)  # it may be a hard link to an earlier backup
    seen, size = hashlib.sha256(), 0
    with os.fdopen(os.open(source, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as reading:
        looks = _looks(os.fstat(reading.fileno()))
        with target.open("xb") as writing:
            os.fchmod(writing.fileno(), 0o600)
            while piece := reading.read(PIECE):
                seen.update(piece)
                size += len(piece)
                writing.write(piece)
    return BackedUpFile(size, looks.modified, looks.inode, looks.mode, looks.owner, looks.group, seen.hexdigest())


def _with_digest(looks: BackedUpFile, copy: Path) -> BackedUpFile:
    with copy.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    size = copy.stat().st_size
    return BackedUpFile(size, looks.modified, looks.inode, looks.mode, looks.owner, looks.group, digest)
