"""The home as the server reads and writes it: by descriptors, one folder after another, and never through a link.

A kernel can put a link, a pipe or another folder into its home between any two calls of ours. So no path is checked and
then used: each part is opened below the one before without following a link, and what is opened is looked at through
its own descriptor. A file is written where no kernel can open it and then takes its name, whole.
"""

from __future__ import annotations

import errno
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

FOLDER = os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC


@dataclass(frozen=True, slots=True)
class HomeFiles:
    """Files and folders below ``root``; paths are relative, with ``/``. Everything raises :class:`OSError`."""

    root: Path

    @contextmanager
    def folder(self, path: str) -> Iterator[int]:
        """A descriptor (O_PATH) of a folder; ELOOP or ENOTDIR for a link in the way."""
        fd = os.open(self.root, FOLDER)
        try:
            for part in parts_of(path):
                below = os.open(part, FOLDER, dir_fd=fd)
                os.close(fd)
                fd = below
            yield fd
        finally:
            os.close(fd)

    @contextmanager
    def parent(self, path: str) -> Iterator[tuple[int, str]]:
        """The folder of a file or folder, and its name there."""
        parts = parts_of(path)
        if not parts:
            raise OSError(errno.EISDIR, "the home itself")
        with self.folder("/".join(parts[:-1])) as fd:
            yield fd, parts[-1]

    def status(self, path: str) -> os.stat_result:
        """Of the folder or file itself, or of the link."""
        if not parts_of(path):
            return os.stat(self.root)
        with self.parent(path) as (fd, name):
            return os.stat(name, dir_fd=fd, follow_symlinks=False)

    def names(self, path: str) -> list[tuple[str, os.stat_result]]:
        """The regular files and folders in a folder; links, pipes and sockets are left out."""
        listed = []
        with self.folder(path) as fd:
            reading = os.open(".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=fd)
            try:
                for name in os.listdir(reading):
                    try:
                        status = os.stat(name, dir_fd=reading, follow_symlinks=False)
                    except OSError:  # deleted meanwhile
                        continue
                    if stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode):
                        listed.append((name, status))
            finally:
                os.close(reading)
        return listed

    def read(self, path: str, most: int) -> tuple[bytes, os.stat_result]:
        """The bytes of a regular file and its status, of one and the same opening; EFBIG above ``most`` bytes."""
        with self.parent(path) as (folder, name):
            fd = os.open(name, FILE, dir_fd=folder)
        try:
            status = os.fstat(fd)
            if not stat.S_ISREG(status.st_mode):
                raise OSError(errno.EINVAL, "not a regular file")
            content = bytearray()
            while part := os.read(fd, min(1 << 20, most + 1 - len(content))):
                content += part
                if len(content) > most:
                    raise OSError(errno.EFBIG, "larger than a person reads")
            return bytes(content), status
        finally:
            os.close(fd)

    def write(self, path: str, content: bytes) -> None:
        """Put a file with this content in place, whole; a link or file of that name is replaced, never followed."""
        with self.parent(path) as (folder, name):
            fd = os.open(f"/proc/self/fd/{folder}", os.O_TMPFILE | os.O_WRONLY | os.O_CLOEXEC, 0o660)
            unnamed = f".~{secrets.token_hex(8)}"
            try:
                view = memoryview(content)
                while view:
                    view = view[os.write(fd, view) :]
                os.fsync(fd)
                os.link(f"/proc/self/fd/{fd}", unnamed, dst_dir_fd=folder, follow_symlinks=True)
            finally:
                os.close(fd)
            try:
                os.rename(unnamed, name, src_dir_fd=folder, dst_dir_fd=folder)
            except OSError:
                os.unlink(unnamed, dir_fd=folder)
                raise

    def make_folder(self, path: str) -> None:
        """Make a folder; EEXIST where there is anything of that name."""
        with self.parent(path) as (fd, name):
            os.mkdir(name, 0o770, dir_fd=fd)

    def remove(self, path: str) -> None:
        """Remove a file, a link or an empty folder."""
        with self.parent(path) as (fd, name):
            if stat.S_ISDIR(os.stat(name, dir_fd=fd, follow_symlinks=False).st_mode):
                os.rmdir(name, dir_fd=fd)
            else:
                os.unlink(name, dir_fd=fd)

    def rename(self, old: str, new: str) -> None:
        """Give a file or folder another name or folder; EEXIST where there is anything of that name."""
        with self.parent(old) as (source, name), self.parent(new) as (target, other):
            try:
                os.stat(other, dir_fd=target, follow_symlinks=False)
            except FileNotFoundError:
                os.rename(name, other, src_dir_fd=source, dst_dir_fd=target)
                return
            raise OSError(errno.EEXIST, "there is a file of that name")


def parts_of(path: str) -> list[str]:
    """The names in a path; EINVAL for ``..``, ``.`` and what is no name."""
    parts = [part for part in path.split("/") if part]
    if any(part in (".", "..") or "\0" in part for part in parts):
        raise OSError(errno.EINVAL, "not a path of the home")
    return parts
