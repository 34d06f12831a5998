"""Ledger (台账): an append-only hash chain of entries in a file, one JSON line per entry, signed by the zone that owns
it.

Each entry contains the digest of the one before it, so a changed, dropped or reordered line breaks the chain. Each
write is signed, so the chain cannot be rewritten without the zone's key. The head (number of entries and last digest)
is stored next to the ledger, signed too, so that lines removed from the end are noticed. An older copy of both ledger
and head cannot be noticed here: store the head (``head()``) on another machine as well.

Entries name subjects by pseudonym only.
"""

from __future__ import annotations

import base64
import fcntl
import json
import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from credit.actor import Actor
from credit.canonical import canonical
from credit.entry import START, Act, Entry, Position, b64, broken, missing_lines, read_line, read_lines, write_lines
from credit.errors import Broken, Malformed
from credit.keys import KeyRing, SigningKey
from credit.messages import Text

__all__ = ["START", "Entry", "Ledger", "Position"]


@dataclass(frozen=True, slots=True)
class Ledger:
    """A ledger file. ``key`` is None for a reader; a file lock orders the writers of several processes.

    Every line must be signed by ``zone``; without one, by the zone of the writer's key or of the first signed line.
    """

    path: Path
    key: SigningKey | None
    ring: KeyRing
    zone: str = ""
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def append(self, verb: str, object: str, *, by: Actor, details: Mapping[str, Any] | None = None) -> Entry:
        """Add one entry; it is on disk when this returns. Raises as :meth:`append_many`."""
        return self.append_many([(verb, object, by, details or {})])[0]

    def append_many(self, acts: Sequence[Act]) -> list[Entry]:
        """Add entries ``(verb, object, by, details)`` in one durable write, signed together.

        Raises :class:`Malformed` for a ledger that was opened for reading, :class:`Broken` for one that lost lines.
        """
        if self.key is None:
            raise Malformed("ledger.opened-for-reading")
        plain = [(verb, object_id, by, json.loads(canonical(details))) for verb, object_id, by, details in acts]
        with self._locked() as stream:
            seq, previous = self._tail(stream)
            if seq < self.head()[0]:
                missing_lines(seq, self.head()[0])
            entries, lines = write_lines(plain, seq, previous, datetime.now(UTC), self.key)
            # One write, then one fsync: a crash leaves whole lines, or last lines that the next writer removes.
            stream.seek(0, os.SEEK_END)
            stream.write(lines.encode())
            stream.flush()
            os.fsync(stream.fileno())
            if entries:
                self._write_head(entries[-1].seq, entries[-1].id)
        return entries

    def entries(self) -> Iterator[Entry]:
        """Every entry in order, each verified and covered by a signature before it is yielded.

        Raises :class:`Broken`.
        """
        if not self.path.exists():
            return
        with self.path.open("rb") as stream:
            for entry, _ in read_lines(stream, Position(), self.ring, self._signing_zone(), whole=True):
                yield entry

    def follow(self, position: Position) -> Iterator[tuple[Entry, Position]]:
        """The entries after ``position``, each verified against the one before it, with the position after it.

        A reader that follows a growing ledger reads each entry once. Incomplete last lines are left for the next call.
        Raises :class:`Broken`, also when the entry at ``position`` has changed.
        """
        if not self.path.exists():
            if position.seq:
                missing_lines(0, position.seq)
            return
        with self.path.open("rb") as stream:
            if position.seq and not self._is_unchanged(stream, position):
                broken(position.seq, Text.of("ledger.not-there-any-more"))
            stream.seek(position.offset)
            yield from read_lines(stream, position, self.ring, self._signing_zone(), whole=False)

    def about(self, object_id: str) -> list[Entry]:
        """The entries whose object is ``object_id``, in order; raises :class:`Broken`."""
        return [entry for entry in self.entries() if entry.object == object_id]

    def head(self) -> tuple[int, str]:
        """The signed number of entries and id of the last one; (0, zeros) for an empty ledger.

        Raises :class:`Broken`.
        """
        path = self._head_path()
        if not path.exists():
            return 0, START
        try:
            data = json.loads(path.read_bytes())
            seq, last = int(data["seq"]), str(data["id"])
            signed, keyid = base64.b64decode(data["sig"]), data["keyid"]
        except (ValueError, KeyError, TypeError) as error:
            raise Broken("ledger.head-unreadable", why=Text.verbatim(path.name)) from error
        zone, _, name = keyid.partition(":")
        self.ring.verify(zone, name, f"{seq} {last}".encode(), signed)
        return seq, last

    def verified(self) -> Iterator[Entry]:
        """Every entry as by :meth:`entries`, also compared with the head: read to the end, the whole ledger is
        verified.

        Raises :class:`Broken` with the number of the first line that is wrong.
        """
        count, head = 0, self.head()
        for entry in self.entries():
            count = entry.seq
            if count == head[0] and entry.id != head[1]:
                broken(count, Text.of("ledger.head-names-another"))
            yield entry
        if count < head[0]:  # with more lines than the head counts, a writer was killed before it wrote the head
            missing_lines(count, head[0])

    def verify(self) -> int:
        """Verify the whole ledger and return the number of its entries. Raises :class:`Broken` as :meth:`verified`."""
        return sum(1 for _ in self.verified())

    def _signing_zone(self) -> str:
        return self.zone or (self.key.zone if self.key else "")

    @contextmanager
    def _locked(self) -> Iterator[Any]:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self._lock, self.path.open("a+b") as stream:
            fcntl.flock(stream, fcntl.LOCK_EX)
            yield stream

    def _tail(self, stream: Any) -> tuple[int, str]:
        """Number and id of the last signed entry.

        Incomplete or unsigned lines after it were left by a killed writer and never confirmed: they are removed.
        """
        whole = end = stream.seek(0, os.SEEK_END)
        while end > 0:
            start = self._line_start(stream, end - 1)
            stream.seek(start)
            line = stream.read(end - start)
            if line.endswith(b"\n"):
                try:
                    data = json.loads(line)
                    seq, name, signed = int(data["seq"]), str(data["id"]), "sig" in data
                except (ValueError, KeyError, TypeError) as error:
                    raise Broken("ledger.last-line-unreadable") from error
                if signed:
                    break
            end = start
        else:
            seq, name = 0, START
        if end < whole:
            stream.truncate(end)
        return seq, name

    def _is_unchanged(self, stream: Any, position: Position) -> bool:
        """True when the last entry that was read is still at its position."""
        if stream.seek(0, os.SEEK_END) < position.offset:
            return False
        start = self._line_start(stream, position.offset - 1)
        stream.seek(start)
        line = stream.read(position.offset - start)
        try:
            return read_line(line, position.seq, json.loads(line)["previous"], self.ring)[0].id == position.id
        except (Broken, ValueError, KeyError, TypeError):
            return False

    @staticmethod
    def _line_start(stream: Any, end: int) -> int:
        """The offset at which the line that ends at ``end`` begins, searched backwards in blocks of 4096 bytes."""
        while end > 0:
            start = max(0, end - 4096)
            stream.seek(start)
            newline = stream.read(end - start).rfind(b"\n")
            if newline >= 0:
                return start + int(newline) + 1
            end = start
        return 0

    def _write_head(self, seq: int, last: str) -> None:
        assert self.key is not None
        signature = self.key.sign(f"{seq} {last}".encode())
        head = {"seq": seq, "id": last, "keyid": f"{self.key.zone}:{self.key.keyid}", "sig": b64(signature)}
        path = self._head_path()
        temporary = path.with_suffix(".new")
        temporary.write_bytes(canonical(head))
        os.replace(temporary, path)

    def _head_path(self) -> Path:
        return self.path.with_suffix(".head.json")
