"""Ledger (台账): an append-only hash chain of entries in a file, one JSON line each, signed by the zone that keeps it.

Each entry names the digest of the one before it, so a changed, dropped or reordered line breaks the chain; each write
is signed, so nobody without the zone's key can write the chain anew. The head (how many, and the last digest) is kept
beside it, signed too, so that lines cut off the end are missed. What this cannot show: a whole older copy of ledger
and head put back together; keep the head elsewhere as well (``head()``) where that matters.

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
from credit.entry import START, Act, Entry, Mark, b64, broken, missing_lines, read_line, read_lines, write_lines
from credit.errors import Broken, Malformed
from credit.keys import KeyRing, SigningKey

__all__ = ["START", "Entry", "Ledger", "Mark"]


@dataclass(frozen=True, slots=True)
class Ledger:
    """A ledger file. ``key`` may be None for a reader; writers of several processes take turns by a lock.

    Every line must be signed by ``zone``, or, when none is named, by the zone of the writer's key or of the first line.
    """

    path: Path
    key: SigningKey | None
    ring: KeyRing
    zone: str = ""
    _turn: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def append(self, verb: str, object: str, *, by: Actor, because: Mapping[str, Any] | None = None) -> Entry:
        """Add one entry, durable when this returns."""
        return self.append_many([(verb, object, by, because or {})])[0]

    def append_many(self, acts: Sequence[Act]) -> list[Entry]:
        """Add entries ``(verb, object, by, because)`` in one durable write, signed together."""
        if self.key is None:
            raise Malformed("ledger.ledger-opened-for-reading")
        plain = [(verb, thing, by, json.loads(canonical(because))) for verb, thing, by, because in acts]
        with self._locked() as stream:
            seq, previous = self._tail(stream)
            if seq < self.head()[0]:
                missing_lines(seq, self.head()[0])
            entries, lines = write_lines(plain, seq, previous, datetime.now(UTC), self.key)
            # One write, then one fsync: a crash leaves whole lines, or last lines that the next writer mends.
            stream.seek(0, os.SEEK_END)
            stream.write(lines.encode())
            stream.flush()
            os.fsync(stream.fileno())
            if entries:
                self._write_head(entries[-1].seq, entries[-1].id)
        return entries

    def entries(self) -> Iterator[Entry]:
        """Every entry in order, each verified and signed for before it is given; raises :class:`Broken`."""
        if not self.path.exists():
            return
        with self.path.open("rb") as stream:
            for entry, _ in read_lines(stream, Mark(), self.ring, self._keeper(), whole=True):
                yield entry

    def follow(self, mark: Mark) -> Iterator[tuple[Entry, Mark]]:
        """The entries after ``mark``, each verified against the one before it, with the mark behind it.

        For a reader who keeps up with a ledger: what was read once is not read again. Last lines that
        are not whole yet are left for the next time. Raises :class:`Broken`.
        """
        if not self.path.exists():
            if mark.seq:
                missing_lines(0, mark.seq)
            return
        with self.path.open("rb") as stream:
            if mark.seq and not self._stands(stream, mark):
                broken(mark.seq, "what was read here before is not here any more")
            stream.seek(mark.offset)
            yield from read_lines(stream, mark, self.ring, self._keeper(), whole=False)

    def about(self, thing: str) -> list[Entry]:
        """The entries whose object is ``thing``, in order."""
        return [entry for entry in self.entries() if entry.object == thing]

    def head(self) -> tuple[int, str]:
        """How many entries there are and the id of the last, as signed; (0, zeros) for an empty ledger."""
        path = self._head_path()
        if not path.exists():
            return 0, START
        try:
            told = json.loads(path.read_bytes())
            seq, last = int(told["seq"]), str(told["id"])
            signed, keyid = base64.b64decode(told["sig"]), told["keyid"]
        except (ValueError, KeyError, TypeError) as error:
            raise Broken("ledger.head-ledger-cannot-be-read", why=path.name) from error
        zone, _, name = keyid.partition(":")
        self.ring.verify(zone, name, f"{seq} {last}".encode(), signed)
        return seq, last

    def verified(self) -> Iterator[Entry]:
        """Every entry as by :meth:`entries`, compared with the head too: exhausted without an error, it is whole.

        Raises :class:`Broken` naming the first line that is wrong.
        """
        count, head = 0, self.head()
        for entry in self.entries():
            count = entry.seq
            if count == head[0] and entry.id != head[1]:
                broken(count, "its signed head names another entry here")
            yield entry
        if count < head[0]:  # more lines than the head tells are a writer killed before it could write the head
            missing_lines(count, head[0])

    def verify(self) -> int:
        """Walk the whole ledger; the number of entries. Raises :class:`Broken` as :meth:`verified` does."""
        return sum(1 for _ in self.verified())

    def _keeper(self) -> str:
        return self.zone or (self.key.zone if self.key else "")

    @contextmanager
    def _locked(self) -> Iterator[Any]:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self._turn, self.path.open("a+b") as stream:
            fcntl.flock(stream, fcntl.LOCK_EX)
            yield stream

    def _tail(self, stream: Any) -> tuple[int, str]:
        """The last signed entry. What a killed writer left behind it, torn or unsigned, was never acknowledged: off."""
        whole = end = stream.seek(0, os.SEEK_END)
        while end > 0:
            start = self._line_start(stream, end - 1)
            stream.seek(start)
            line = stream.read(end - start)
            if line.endswith(b"\n"):
                try:
                    told = json.loads(line)
                    seq, name, signed = int(told["seq"]), str(told["id"]), "sig" in told
                except (ValueError, KeyError, TypeError) as error:
                    raise Broken("ledger.ledger-last-line-cannot-be") from error
                if signed:
                    break
            end = start
        else:
            seq, name = 0, START
        if end < whole:
            stream.truncate(end)
        return seq, name

    def _stands(self, stream: Any, mark: Mark) -> bool:
        """True when the last entry that was read is still where it was."""
        if stream.seek(0, os.SEEK_END) < mark.offset:
            return False
        start = self._line_start(stream, mark.offset - 1)
        stream.seek(start)
        line = stream.read(mark.offset - start)
        try:
            return read_line(line, mark.seq, json.loads(line)["previous"], self.ring)[0].id == mark.id
        except (Broken, ValueError, KeyError, TypeError):
            return False

    @staticmethod
    def _line_start(stream: Any, end: int) -> int:
        """Where the line that ends before ``end`` begins, looking back a block at a time."""
        while end > 0:
            start = max(0, end - 4096)
            stream.seek(start)
            found = stream.read(end - start).rfind(b"\n")
            if found >= 0:
                return start + int(found) + 1
            end = start
        return 0

    def _write_head(self, seq: int, last: str) -> None:
        assert self.key is not None
        signature = self.key.sign(f"{seq} {last}".encode())
        told = {"seq": seq, "id": last, "keyid": f"{self.key.zone}:{self.key.keyid}", "sig": b64(signature)}
        path = self._head_path()
        beside = path.with_suffix(".new")
        beside.write_bytes(canonical(told))
        os.replace(beside, path)

    def _head_path(self) -> Path:
        return self.path.with_suffix(".head.json")
