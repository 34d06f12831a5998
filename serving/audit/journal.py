"""The service's ledger, written fast: the very bytes that credit's Ledger writes, at half the cost an entry.

Where the ledger ends is remembered as long as file and head are as this process left them; and in a rush the signed
head is written every 50 ms, not at every write. A head that lags is what a killed writer leaves, which every reader
accepts; who could cut lines off behind it could as well put back an older copy of both files.

Writing and making durable are two acts, so that an event loop can do the first, which is short, and leave the second,
which waits for the disk, to a thread. Processes take turns at the first alone: whoever syncs a file syncs all that was
written into it before, so no entry is told before those it follows are durable.
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
    """Another process is writing just now."""


@dataclass(slots=True)
class _End:
    """The open file, where it ended after our last write, and what the file system said of its head."""

    stream: io.FileIO | None = None
    inode: int = -1
    size: int = -1
    seq: int = 0
    id: str = ""
    head: _Stat | None = None  # of the head that was last read or written here
    told: int = 0  # how many entries it tells
    lags: bool = False  # the head is still to be written
    headed_at: float = 0.0

    def __del__(self) -> None:
        """Close the file with the journal."""
        if self.stream is not None:
            self.stream.close()


@dataclass(frozen=True, slots=True)
class Journal(Ledger):
    """A ledger with a writer that comes often; every other act is :class:`credit.ledger.Ledger`'s own."""

    _end: _End = field(default_factory=_End, repr=False)

    def append_many(self, acts: Sequence[Act]) -> list[Entry]:
        """Add entries in one durable write. Raises Malformed (no key) and Broken as the Ledger's own does."""
        if self.key is None:
            return Ledger.append_many(self, acts)  # which says what is missing
        entries = self.write(acts)
        self.sync()
        return entries

    def write(self, acts: Sequence[Act], *, wait: bool = True) -> list[Entry]:
        """Add entries that are durable only after `sync`. Raises Broken, OSError, and Busy when not to `wait`."""
        key, end = self.key, self._end
        assert key is not None
        with self._open(wait) as stream:
            seq, previous = self._place(stream)
            entries, lines = write_lines(acts, seq, previous, datetime.now(UTC), key)
            size, whole = end.size, lines.encode()
            try:
                if stream.write(whole) != len(whole):
                    raise OSError("a part of the lines was written")
            except OSError:
                end.size = -1
                stream.truncate(size)  # nobody was told of them
                raise
            end.size, end.lags = size + len(whole), True
            if entries:
                end.seq, end.id = entries[-1].seq, entries[-1].id
            if time.monotonic() - end.headed_at >= HEAD_SECONDS:
                self._head()
        return entries

    def sync(self) -> None:
        """Make durable what was written: the data and the length, which is all that a reader needs."""
        if self._end.stream is not None:
            os.fdatasync(self._end.stream.fileno())

    def lines_about(self, thing: str, *, part_of: str = "") -> list[Entry]:
        """The entries whose object is `thing`, found by its bytes; each verified, and signed for.

        With `part_of` those that say in their `because` that they are a part of it, such as `batch`.

        The chain is walked to the next signature only, so this takes a second for a million entries and not minutes.
        Raises Broken.
        """
        if not self.path.exists() or not self.path.stat().st_size:
            return []
        wanted, found, at = f'"{part_of or "object"}":{quoted(thing)}'.encode(), [], -1
        with self.path.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as whole:
            while (at := whole.find(wanted, at + 1)) >= 0:
                begin = whole.rfind(b"\n", 0, at) + 1
                whole.seek(begin)
                line = whole.readline()
                if not line.endswith(b"\n"):
                    continue
                told = json.loads(line)
                if (told["because"].get(part_of) if part_of else told["object"]) == thing:
                    whole.seek(begin)
                    before = Position(begin, told["seq"] - 1, told["previous"])
                    signed = read_lines(iter(whole.readline, b""), before, self.ring, self.zone, whole=False)
                    found += [entry for entry, _ in islice(signed, 1)]  # none of a write that has not ended
        return found

    def settle(self) -> bool:
        """Write the head when it lags; False when another process was writing just now and it has to be tried again."""
        if self._end.lags:
            try:
                with self._open(wait=False) as stream:
                    if stream.seek(0, os.SEEK_END) == self._end.size:  # else another wrote since, and a head with it
                        self._head()
                    self._end.lags = False
            except JournalBusy:
                return False
        return True

    @contextmanager
    def _open(self, wait: bool) -> Iterator[io.FileIO]:
        """The file, ours alone for as long as this lasts; kept open, and opened anew when another took its name."""
        with self._lock:
            stream = self._stream()
            try:
                fcntl.flock(stream, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
            except BlockingIOError as taken:
                raise JournalBusy from taken
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
        end.head, end.told, end.lags, end.headed_at = self._head_stat(), end.seq, False, time.monotonic()

    def _place(self, stream: io.FileIO) -> tuple[int, str]:
        """The last entry, remembered when nobody wrote since, else read; never before what the signed head tells."""
        end, size, head = self._end, stream.seek(0, os.SEEK_END), self._head_stat()
        if size != end.size:
            end.seq, end.id = self._tail(stream)
            end.size = stream.seek(0, os.SEEK_END)  # a torn last line was taken off
        if head != end.head:
            end.told, end.head = self.head()[0], head
        if end.seq < end.told:
            raise Broken("journal.ledger-broken-at-line", seq=end.seq + 1, seq2=end.seq, data=end.told)
        return end.seq, end.id

    def _head_stat(self) -> _Stat:
        try:
            told = self._head_path().stat()
        except FileNotFoundError:
            return _NO_HEAD
        return told.st_ino, told.st_mtime_ns, told.st_size
