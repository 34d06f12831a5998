"""The records of one kernel: each table that it reads and each file of the home that it opens, with the cell that ran.

A record is in the research ledger before the kernel gets a byte; what cannot be recorded is not opened. The cell is
the one that the workspace's server passed to the kernel last and that has not ended. What happens when none runs is
recorded as between cells, after the last one.
"""

from __future__ import annotations

import hashlib
import os
import stat
import zlib
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from threading import Lock
from typing import Any, Protocol

from lab.settings import KEPT_FILE


class Recorder(Protocol):
    """Where records go: the gateway. Both raise :class:`OSError` when it could not write a record down."""

    def read(self, record: dict[str, Any]) -> None:
        """Record that a table was read."""

    def opened(self, record: dict[str, Any], content: bytes) -> None:
        """Record that a file of the home was opened. ``content`` is packed (zlib) where the record says so, and empty
        when it is too large to be kept even so."""


@dataclass(frozen=True, slots=True)
class PassedCell:
    """A cell that was passed to a kernel: the id of its message, and the digest of its code."""

    message: str
    code: str


@dataclass(slots=True)
class KernelRecords:
    """What one kernel read. The thread of its monitor writes here, and the supervisor says which cell runs."""

    kernel: str
    recorder: Recorder
    _running: list[PassedCell] = field(default_factory=list)
    _last: PassedCell | None = None
    _read: set[tuple[str, bool, str]] = field(default_factory=set)
    _opened: dict[tuple[int, ...], str] = field(default_factory=dict)
    _turn: Lock = field(default_factory=Lock)

    def begin(self, cell: PassedCell) -> None:
        """A cell is about to be passed to the kernel."""
        with self._turn:
            self._running.append(cell)

    def end(self, message: str) -> None:
        """The cell with this message has ended, as its kernel says; one that is unknown changes nothing."""
        with self._turn:
            for place, cell in enumerate(self._running):
                if cell.message == message:
                    del self._running[: place + 1]  # a kernel runs one after another
                    self._last = cell
                    return

    def read(self, table: str) -> None:
        """Record once a cell, and once between two cells, that a table was read; raises :class:`OSError`."""
        record, moment = self._moment()
        key = (moment, "code" in record, table)
        if key not in self._read:
            self.recorder.read(record | {"tables": [table]})
            self._read.add(key)

    def open_file(self, fd: int, name: str) -> None:
        """Record a regular file of the home as it is now, once for each of its versions; raises :class:`OSError`."""
        status = os.fstat(fd)
        version = (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
        if not stat.S_ISREG(status.st_mode) or not status.st_size or self._opened.get(version) == name:
            return
        digest, content, size = _content(fd)
        record = self._moment()[0] | {"digest": digest, "bytes": size, "ending": PurePosixPath(name).suffix[:16]}
        record |= {"packed": True} if content and size > KEPT_FILE else {}
        self.recorder.opened(record, content)
        self._opened[version] = name

    def _moment(self) -> tuple[dict[str, Any], str]:
        """The kernel with its running cell, or with the last one that ran; and a name of that moment."""
        with self._turn:
            cell = self._running[-1] if self._running else None
            near = cell or self._last
        record = {"kernel": self.kernel, "witness": "machine"}
        if near is None:
            return record, ""
        return record | {"code" if cell else "after": near.code}, near.message


def _content(fd: int) -> tuple[str, bytes, int]:
    """Digest, content and size of an open file. Above :data:`KEPT_FILE` bytes the content is packed: a file of code
    that was only made longer is kept; it is empty where it is that long when packed too.
    """
    digest, packer = hashlib.sha256(), zlib.compressobj(1)
    plain, packed, at = bytearray(), bytearray(), 0
    while part := os.pread(fd, 1 << 20, at):
        digest.update(part)
        at += len(part)
        if len(packed) <= KEPT_FILE:
            plain += part if at <= KEPT_FILE else b""
            packed += packer.compress(part)
    packed += packer.flush()
    content = bytes(plain) if at <= KEPT_FILE else bytes(packed)
    return digest.hexdigest(), content if len(content) <= KEPT_FILE else b"", at
