"""The service's ledger, written fast: the same bytes that credit's Ledger writes, at half the cost per entry.

The end of the ledger is remembered as long as the file and its head are as this process left them. Under load the
signed head is written every 50 ms, and not at every write. A head that lags behind is what a killed writer leaves, and
every reader accepts it; an attacker that could cut off the lines behind it could also restore an older copy of both
files.

Writing and making durable are two acts, so that an event loop can do the first, which is short, and a thread the
second, which waits for the disk. Processes exclude each other during the first only: a sync covers everything that was
written to the file before, so no entry is announced before the entries it follows are durable.
"""

from __future__ import annotations

import errno
import fcntl
import io
import os
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

from credit.ledger import Ledger
from credit.ledger.entry import Act, Entry, write_lines
from credit.ledger.head import head_path
from credit.ledger.open_segment import is_still_open
from credit.ledger.segments.store import FILE_MODE

HEAD_SECONDS = 0.05
_Stat = tuple[int, int, int]
_NO_HEAD = (0, 0, 0)


class JournalBusy(Exception):
    """Another process is writing at this moment."""


@dataclass(slots=True)
class _End:
    """The open file, its end after our last write, and the file attributes of its head."""

    stream: io.FileIO | None = None
    inode: int = -1
    size: int = -1
    seq: int = 0
    id: str = ""
    head: _Stat | None = None  # of the head that this process read or wrote last
    lags: bool = False  # the head is still to be written
    headed_at: float = 0.0
    syncing: threading.Lock = field(default_factory=threading.Lock)

    def __del__(self) -> None:
        """Close the file with the journal."""
        if self.stream is not None:
            self.stream.close()


@dataclass(frozen=True, slots=True)
class Journal(Ledger):
    """A ledger for frequent writes; all other methods are those of :class:`credit.ledger.Ledger`."""

    _end: _End = field(default_factory=_End, repr=False)

    def append_many(self, acts: Sequence[Act]) -> list[Entry]:
        """Add entries in one durable write. Raises Malformed (no key) and Broken, as `Ledger.append_many`."""
        if self.key is None:
            return Ledger.append_many(self, acts)  # which raises Malformed
        entries = self.write(acts)
        self.sync()
        return entries

    def write(self, acts: Sequence[Act], *, wait: bool = True) -> list[Entry]:
        """Add entries, durable only after `sync`. Raises Broken, OSError, and JournalBusy when not to `wait`."""
        key, end = self.key, self._end
        assert key is not None
        with self._open(wait) as stream:
            if self._close_full_segment(stream):
                stream = self._next_stream(wait)
            seq, previous = self._place(stream)
            entries, lines = write_lines(acts, seq, previous, datetime.now(UTC), key)
            size, encoded = end.size, lines.encode()
            try:
                if stream.write(encoded) != len(encoded):
                    raise OSError(errno.ENOSPC, "a part of the lines was written")
            except OSError:
                end.size = -1
                stream.truncate(size)  # no waiter was notified of them
                raise
            end.size, end.lags = size + len(encoded), True
            if entries:
                end.seq, end.id = entries[-1].seq, entries[-1].id
            if time.monotonic() - end.headed_at >= HEAD_SECONDS:
                self._head()
        return entries

    def sync(self) -> None:
        """Make durable what was written: the data and the length of the file, which is all that a reader needs."""
        with self._end.syncing:  # the file is not exchanged for the next one meanwhile
            if self._end.stream is not None:
                os.fdatasync(self._end.stream.fileno())

    def settle(self) -> bool:
        """Write the head when it lags behind; False when another process is writing, and the caller must try again."""
        if self._end.lags:
            try:
                with self._open(wait=False) as stream:
                    if (
                        stream.seek(0, os.SEEK_END) == self._end.size
                    ):  # otherwise another process has written since, and its head too
                        self._head()
                    self._end.lags = False
            except JournalBusy:
                return False
        return True

    @contextmanager
    def _open(self, wait: bool) -> Iterator[io.FileIO]:
        """The file under an exclusive lock; it stays open, and is opened again when another file has taken its name."""
        with self._lock:
            try:
                yield self._next_stream(wait)
            finally:
                if self._end.stream is not None:
                    fcntl.flock(self._end.stream, fcntl.LOCK_UN)

    def _next_stream(self, wait: bool) -> io.FileIO:
        """The open segment, locked; raises JournalBusy when it is locked already and not to `wait`."""
        while True:
            stream = self._stream()
            try:
                fcntl.flock(stream, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
            except BlockingIOError as locked:
                raise JournalBusy from locked
            if is_still_open(stream, self.path):  # another process may have closed it before this one locked it
                return stream
            fcntl.flock(stream, fcntl.LOCK_UN)

    def _stream(self) -> io.FileIO:
        end = self._end
        try:
            inode = self.path.stat().st_ino
        except FileNotFoundError:
            inode = -1
        if end.stream is None or inode != end.inode:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with end.syncing:
                if end.stream is not None:
                    end.stream.close()
                end.stream = io.FileIO(os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT, FILE_MODE), "r+")
            end.inode, end.size, end.head = os.fstat(end.stream.fileno()).st_ino, -1, None
        return end.stream

    def _close_full_segment(self, stream: io.FileIO) -> bool:
        """Begin a new segment when the open one is full. It is sealed elsewhere, where no answer waits for that."""
        if stream.seek(0, os.SEEK_END) < self.segment_bytes:
            return False
        self._close_segment(stream, self._tail(stream))
        fcntl.flock(stream, fcntl.LOCK_UN)
        return True

    def _head(self) -> None:
        end = self._end
        self._write_head(end.seq, end.id)
        end.head, end.lags, end.headed_at = self._head_stat(), False, time.monotonic()

    def _place(self, stream: io.FileIO) -> tuple[int, str]:
        """Number and id of the last entry, read again when another process has written. Raises Broken."""
        end, size, head = self._end, stream.seek(0, os.SEEK_END), self._head_stat()
        if size != end.size or head != end.head:
            tail = self._tail(stream)  # which also removes an incomplete last line
            end.seq, end.id, end.size = tail.seq, tail.id, stream.seek(0, os.SEEK_END)
            end.head = self._head_stat()
        return end.seq, end.id

    def _head_stat(self) -> _Stat:
        try:
            stat = head_path(self.path).stat()
        except FileNotFoundError:
            return _NO_HEAD
        return stat.st_ino, stat.st_mtime_ns, stat.st_size
