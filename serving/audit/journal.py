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

import fcntl
import io
import json
import mmap
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from json.encoder import encode_basestring as quoted

from credit.entry import Act, Entry, Position, read_lines, write_lines
from credit.errors import Broken
from credit.ledger import Ledger

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
    headed: int = 0  # number of entries that the head covers
    lags: bool = False  # the head is still to be written
    headed_at: float = 0.0

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
            seq, previous = self._place(stream)
            entries, lines = write_lines(acts, seq, previous, datetime.now(UTC), key)
            size, encoded = end.size, lines.encode()
            try:
                if stream.write(encoded) != len(encoded):
                    raise OSError("a part of the lines was written")
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
        if self._end.stream is not None:
            os.fdatasync(self._end.stream.fileno())

    def lines_about(self, object_: str, *, part_of: str = "") -> list[Entry]:
        """The entries with this object, verified up to the next signature; they are searched for by their bytes.

        With `part_of`, the entries whose details name the object under that key, such as `batch`.

        The chain is followed to the next signature only, so this takes a second for a million entries and not minutes.
        Raises Broken.
        """
        if not self.path.exists() or not self.path.stat().st_size:
            return []
        pattern, results, at = f'"{part_of or "object"}":{quoted(object_)}'.encode(), list[Entry](), -1
        with self.path.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as whole:
            while (at := whole.find(pattern, at + 1)) >= 0:
                begin = whole.rfind(b"\n", 0, at) + 1
                whole.seek(begin)
                line = whole.readline()
                if not line.endswith(b"\n"):
                    continue
                record = json.loads(line)
                if (record["because"].get(part_of) if part_of else record["object"]) == object_:
                    whole.seek(begin)
                    before = Position(begin, record["seq"] - 1, record["previous"])
                    signed = read_lines(iter(whole.readline, b""), before, self.ring, self.zone, whole=False)
                    results += [entry for entry, _ in islice(signed, 1)]  # none of an incomplete write
        return results

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
            stream = self._stream()
            try:
                fcntl.flock(stream, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
            except BlockingIOError as locked:
                raise JournalBusy from locked
            try:
                yield stream
            finally:
                fcntl.flock(stream, fcntl.LOCK_UN)

    def _stream(self) -> io.FileIO:
        end = self._end
        try:
            inode = self.path.stat().st_ino
        except FileNotFoundError:
            inode = -1
        if end.stream is None or inode != end.inode:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            if end.stream is not None:
                end.stream.close()
            end.stream = io.FileIO(self.path, "a+")
            end.inode, end.size, end.head = os.fstat(end.stream.fileno()).st_ino, -1, None
        return end.stream

    def _head(self) -> None:
        end = self._end
        self._write_head(end.seq, end.id)
        end.head, end.headed, end.lags, end.headed_at = self._head_stat(), end.seq, False, time.monotonic()

    def _place(self, stream: io.FileIO) -> tuple[int, str]:
        """Number and id of the last entry, read again when another process has written. Raises Broken."""
        end, size, head = self._end, stream.seek(0, os.SEEK_END), self._head_stat()
        if size != end.size:
            end.seq, end.id = self._tail(stream)
            end.size = stream.seek(0, os.SEEK_END)  # an incomplete last line was removed
        if head != end.head:
            end.headed, end.head = self.head()[0], head
        if end.seq < end.headed:
            raise Broken("journal.ledger-broken-at-line", seq=end.seq + 1, seq2=end.seq, data=end.headed)
        return end.seq, end.id

    def _head_stat(self) -> _Stat:
        try:
            stat = self._head_path().stat()
        except FileNotFoundError:
            return _NO_HEAD
        return stat.st_ino, stat.st_mtime_ns, stat.st_size
