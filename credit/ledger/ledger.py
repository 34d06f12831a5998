"""Ledger (台账): an append-only hash chain of entries, one JSON line per entry, signed by the zone that owns it.

Each entry contains the digest of the one before it, so a changed, dropped or reordered line breaks the chain. Each
write is signed, so the chain cannot be rewritten without the zone's key. The head (number of entries and last digest)
is stored next to the ledger, signed too, so that lines removed from the end are noticed. An older copy of both ledger
and head is noticed by the witnesses of other zones (:mod:`credit.ledger.witness`).

Lines are stored in segments (:mod:`credit.ledger.segments.store`), so that no act takes longer because a ledger is old.
Entries name subjects by pseudonym only.
"""

from __future__ import annotations

import io
import json
import os
import threading
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

from credit.actor import Actor
from credit.canonical import canonical
from credit.errors import Broken, Malformed
from credit.keys import KeyRing, SigningKey
from credit.ledger.entry import (
    START,
    Act,
    Entry,
    Position,
    broken,
    missing_lines,
    read_line,
    read_lines,
    write_lines,
)
from credit.ledger.head import begin, has_begun, read_head, write_head
from credit.ledger.open_segment import open_segment
from credit.ledger.segments.by_number import line_of
from credit.ledger.segments.closed_segment import entry_of, read_sealed, seal_path, sealed_bytes, write_seal
from credit.ledger.segments.lookup import LookUp, offsets, write_index
from credit.ledger.segments.store import SEGMENT_BYTES, Segment, SegmentFiles
from credit.ledger.tail import Tail, last_signed
from credit.messages import Text

NEAR_BYTES = 1 << 18  # a look-up reads on to an entry that begins within so many bytes
# and so many where the entry carries a signature of its own: that is quicker to read than what lies between
FEW_BYTES = 1 << 12


@dataclass(frozen=True, slots=True)
class Ledger:
    """A ledger. ``key`` is None for a reader; a file lock orders the writers of several processes.

    Every line must be signed by ``zone``; without one, by the zone of the writer's key or of the first signed line.
    """

    path: Path
    key: SigningKey | None
    ring: KeyRing
    zone: str = ""
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)
    segment_bytes: int = SEGMENT_BYTES

    @property
    def store(self) -> SegmentFiles:
        """Where the lines are stored."""
        return SegmentFiles(self.path)

    def append(self, verb: str, object: str, *, by: Actor, details: Mapping[str, Any] | None = None) -> Entry:
        """Add one entry; it is on disk when this returns. Raises as :meth:`append_many`."""
        return self.append_many([(verb, object, by, details or {})])[0]

    def append_many(self, acts: Sequence[Act]) -> list[Entry]:
        """Add entries ``(verb, object, by, details)`` in one durable write, signed together.

        Raises :class:`Malformed` for a ledger that was opened for reading, :class:`Broken` for one that lost lines, its
        head, or whose last lines or head another zone signed.
        """
        if self.key is None:
            raise Malformed("ledger.opened-for-reading")
        plain = [(verb, object_id, by, json.loads(canonical(details))) for verb, object_id, by, details in acts]
        with open_segment(self.path, self._lock) as stream:
            tail = self._tail(stream)
            closed = tail.end >= self.segment_bytes
            if closed:
                self._close_segment(stream, tail)
            else:
                entries = self._add(stream, plain, tail, self.key)
        if closed:
            self.seal_closed(merge_all=False)
            return self.append_many(acts)
        return entries

    def seal_closed(self, *, merge_all: bool = True) -> int:
        """Seal and index every closed segment that is not yet, and return how many were sealed.

        An agent calls this in its loop; only then are large parts of the index merged, which can take seconds.

        Raises :class:`Broken` for one that does not verify, and :class:`Malformed` for a reader.
        """
        if self.key is None:
            raise Malformed("ledger.opened-for-reading")
        store, count = self.store, 0
        for segment in store.segments():
            if segment.closed and not seal_path(segment).exists():
                line = store.line_before(segment.offset)[1] if segment.offset else b""
                before = Position(segment.offset, segment.after, json.loads(line)["id"] if line else START)
                write_seal(segment, before, self.key, self.ring)
                count += 1
        write_index(store, self.key, self.ring, all_levels=merge_all)
        return count

    def entries(self) -> Iterator[Entry]:
        """Every entry in order, each verified and covered by a signature before it is yielded.

        Raises :class:`Broken`.
        """
        for entry, _ in self._read(Position(), whole=True):
            yield entry

    def follow(self, position: Position) -> Iterator[tuple[Entry, Position]]:
        """The entries after ``position``, each verified against the one before it, with the position after it.

        A reader that follows a growing ledger reads each entry once. Incomplete last lines are left for the next call.
        Raises :class:`Broken`, also when the entry at ``position`` has changed.
        """
        if position.seq:
            size = self.store.segments()[-1].end
            if size == 0:
                missing_lines(0, position.seq)
            if not self._is_unchanged(position):
                broken(position.seq, Text.of("ledger.not-there-any-more"))
        yield from self._read(position, whole=False)

    def entry_at(self, number: int) -> Entry | None:
        """The entry with this number, covered by a signature as it is read; None when there is none.

        That its chain leads back to the beginning is what :meth:`verify` shows. Raises :class:`Broken`.
        """
        line_and_offset = line_of(self.store, number)
        if line_and_offset is None:
            return None
        segment, offset, line = line_and_offset
        return next((entry for entry, _ in self._read_signed(segment, offset, line)), None)

    def about(self, object_id: str) -> list[Entry]:
        """The entries whose object is ``object_id``, in order; raises :class:`Broken`."""
        return list(self.find(LookUp(object=object_id)))

    def find(self, search: LookUp) -> Iterator[Entry]:
        """The entries that match, in order, each covered by a signature as it is read; few others are read.

        That their chain leads back to the beginning is what :meth:`verify` shows. Raises :class:`Broken`.
        """
        segments, at, within = self.store.segments(), -1, None
        reading: Iterator[tuple[Entry, Position]] = iter(())
        for offset in offsets(self.store, search, self.ring, self._signing_zone()):
            segment = segments[bisect_right(segments, offset, key=lambda each: each.offset) - 1]
            line = next(self.store.lines(segment, offset), b"")
            near = FEW_BYTES if b'"sig":"' in line else NEAR_BYTES  # a line with a signature is read by itself
            if segment is not within or not at <= offset < at + near:  # what follows each other is read once
                reading, at, within = self._read_signed(segment, offset, line), offset, segment
            while at <= offset and (following := next(reading, None)) is not None:
                begins, at = at, following[1].offset
                if begins == offset and search.matches(json.loads(line)):
                    yield following[0]

    def head(self) -> tuple[int, str]:
        """The signed number of entries and id of the last one; (0, zeros) for a ledger that has not begun.

        Raises :class:`Broken`, also when a ledger that has begun has no head.
        """
        zone = self._signing_zone()
        head = read_head(self.path, self.ring, zone)
        if head is None and (self.store.segments()[-1].end or has_begun(self.path, self.ring, zone)):
            head = read_head(self.path, self.ring, zone)  # it may have begun at this very moment
            if head is None:
                raise Broken("ledger.head-missing", name=self.path.stem)
        return head or (0, START)

    def has_begun(self) -> bool:
        """True for a ledger with entries, and for one of which its zone recorded that it has begun."""
        return bool(self.store.segments()[-1].end) or has_begun(self.path, self.ring, self._signing_zone())

    def verified(self) -> Iterator[Entry]:
        """Every entry as by :meth:`entries`, also compared with the head: read to the end, the whole ledger is
        verified.

        Raises :class:`Broken` with the number of the first line that is wrong.
        """
        for entry, _ in self.verified_after(Position()):
            yield entry

    def verified_after(self, position: Position) -> Iterator[tuple[Entry, Position]]:
        """As :meth:`verified`, but what comes before ``position`` was verified earlier: the entry there must be the
        same. Raises :class:`Broken`."""
        closed = self.store.segments()[-1].offset
        count, head = position.seq, self.head()
        if count and not self._is_unchanged(position):
            broken(count, Text.of("ledger.not-there-any-more"))
        for entry, after in self._read(position, whole=True):
            count = entry.seq
            if count == head[0] and entry.id != head[1]:
                broken(count, Text.of("ledger.head-names-another"))
            if count > head[0] and after.offset <= closed:
                broken(count, Text.of("ledger.head-older", signed=head[0], closed=count))
            yield entry, after
        if count < head[0]:  # with more lines than the head counts, a writer was killed before it wrote the head
            missing_lines(count, head[0])

    def verify(self) -> int:
        """Verify the whole ledger and return the number of its entries. Raises :class:`Broken` as :meth:`verified`."""
        return sum(1 for _ in self.verified())

    def _signing_zone(self) -> str:
        return self.zone or (self.key.zone if self.key else "")

    def _read(self, position: Position, *, whole: bool) -> Iterator[tuple[Entry, Position]]:
        """The entries after ``position``: sealed segments at once, all others line by line. Raises :class:`Broken`."""
        store, zone = self.store, self._signing_zone()
        for segment in store.segments():
            if segment.closed and segment.end <= position.offset:
                continue
            at_start = segment.offset == position.offset
            if segment.offset > position.offset or (segment.closed and at_start and segment.after != position.seq):
                broken(position.seq + 1, Text.of("ledger.segment-missing", name=segment.path.name))
            sealed = sealed_bytes(segment, position, self.ring, zone) if segment.closed and at_start else None
            if sealed is None:
                lines = store.lines(segment, position.offset)
                for entry, after in read_lines(lines, position, self.ring, zone, whole=whole or segment.closed):
                    position = after
                    yield entry, after
            else:
                for data, length in read_sealed(sealed, position, self.ring, zone):
                    position = Position(position.offset + length, data["seq"], data["id"])
                    yield entry_of(data), position

    def _read_signed(self, segment: Segment, offset: int, line: bytes) -> Iterator[tuple[Entry, Position]]:
        """The entries from ``offset`` on, each once a signature covers it; none of an incomplete write."""
        try:
            data = json.loads(line)
            before = Position(offset, int(data["seq"]) - 1, data["previous"])
        except (ValueError, KeyError, TypeError) as error:
            raise Broken("ledger.line-unreadable") from error
        lines = self.store.lines(segment, offset)
        yield from read_lines(lines, before, self.ring, self._signing_zone(), whole=False)

    def _add(self, stream: BinaryIO, acts: Sequence[Act], tail: Tail, key: SigningKey) -> list[Entry]:
        entries, lines = write_lines(acts, tail.seq, tail.id, datetime.now(UTC), key)
        # One write, then one fsync: a crash leaves whole lines, or last lines that the next writer removes.
        stream.seek(0, os.SEEK_END)
        stream.write(lines.encode())
        stream.flush()
        os.fsync(stream.fileno())
        if entries:
            self._write_head(entries[-1].seq, entries[-1].id)
        return entries

    def _tail(self, stream: BinaryIO) -> Tail:
        """The last signed entry, which the head does not contradict; incomplete or unsigned lines after it were left by
        a killed writer and never confirmed, and are removed.

        Raises :class:`Broken`.
        """
        zone, head = self._signing_zone(), self.head()
        tail = last_signed(stream, self.ring, zone)
        if tail is None:
            offset = self.store.segments()[-1].offset
            closed = self.store.line_before(offset)[1] if offset else b""
            before = last_signed(io.BytesIO(closed), self.ring, zone)
            tail = Tail(0, before.seq, before.id) if before else Tail(0, 0, START)
        tail.compare(stream, head)
        if tail.seq == 0 and self.key is not None:
            begin(self.path, self.key, self.ring)
        if stream.seek(0, os.SEEK_END) > tail.end:
            stream.truncate(tail.end)
        return tail

    def _close_segment(self, stream: BinaryIO, tail: Tail) -> None:
        """Begin a new segment; the head covers the one that is closed, so no head is older than a closed segment."""
        self._write_head(tail.seq, tail.id)
        stream.seek(0)
        first, store = json.loads(stream.readline()), self.store
        store.close_open_segment(stream, first["seq"] - 1, store.segments()[-1].offset)

    def _is_unchanged(self, position: Position) -> bool:
        """True when the last entry that was read is still at its position."""
        _, line = self.store.line_before(position.offset)
        try:
            return read_line(line, position.seq, json.loads(line)["previous"], self.ring)[0].id == position.id
        except (Broken, ValueError, KeyError, TypeError):
            return False

    def _write_head(self, seq: int, last: str) -> None:
        assert self.key is not None
        write_head(self.path, self.key, seq, last)
