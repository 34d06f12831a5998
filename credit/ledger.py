"""Ledger (台账): an append-only hash chain of entries in a file, one JSON line each, signed by the zone that keeps it.

Each entry names the digest of the one before it, so a changed, dropped or reordered line breaks the chain; each is
signed, so nobody without the zone's key can write the chain anew. The head (how many, and the last digest) is kept
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
from typing import Any, NoReturn

from credit.actor import Actor
from credit.canonical import canonical, digest
from credit.errors import Broken, Malformed
from credit.keys import KeyRing, SigningKey

START = "0" * 64


@dataclass(frozen=True, slots=True)
class Entry:
    """One act: who did what to which object, when and because of what. ``id`` digests all of it with ``previous``."""

    seq: int
    at: datetime
    by: Actor
    verb: str
    object: str
    because: Mapping[str, Any]
    previous: str
    id: str

    def body(self) -> bytes:
        """The bytes that the id digests and the zone signs."""
        return _body(self.seq, self.at.isoformat(), str(self.by), self.verb, self.object, self.because, self.previous)


@dataclass(frozen=True, slots=True)
class Mark:
    """A place in a ledger: the ``offset`` bytes before it hold ``seq`` entries, the last of which is ``id``."""

    offset: int = 0
    seq: int = 0
    id: str = START


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

    def append_many(self, acts: Sequence[tuple[str, str, Actor, Mapping[str, Any]]]) -> list[Entry]:
        """Add entries ``(verb, object, by, because)`` in one durable write."""
        if self.key is None:
            raise Malformed("This ledger was opened for reading", why="writing takes the key of its zone")
        with self._locked() as stream:
            seq, previous = self._tail(stream)
            if seq < self.head()[0]:
                _missing_lines(seq, self.head()[0])
            entries, lines = [], []
            for verb, thing, by, because in acts:
                at = datetime.now(UTC)
                seq += 1
                plain = json.loads(canonical(because))
                body = _body(seq, at.isoformat(), str(by), verb, thing, plain, previous)
                entry = Entry(seq, at, by, verb, thing, plain, previous, digest(body))
                entries.append(entry)
                lines.append(_line(entry, self.key))
                previous = entry.id
            # One write, then one fsync: a crash leaves whole lines, or a last line that the next writer mends.
            stream.seek(0, os.SEEK_END)
            stream.write(b"".join(lines))
            stream.flush()
            os.fsync(stream.fileno())
            self._write_head(seq, previous)
        return entries

    def entries(self) -> Iterator[Entry]:
        """Every entry in order, each verified against the one before it as it is read; raises :class:`Broken`."""
        if not self.path.exists():
            return
        previous, zone = START, self.zone or (self.key.zone if self.key else "")
        with self.path.open("rb") as stream:
            for number, line in enumerate(stream, start=1):
                entry, signer = self._read(line, number, previous)
                if signer != (zone := zone or signer):
                    _broken(number, f"it is signed by zone {signer}, and this is the ledger of {zone}")
                previous = entry.id
                yield entry

    def follow(self, mark: Mark) -> Iterator[tuple[Entry, Mark]]:
        """The entries after ``mark``, each verified against the one before it, with the mark behind it.

        For a reader who keeps up with a ledger: what was read once is not read again. A last line that
        is not whole yet is left for the next time. Raises :class:`Broken`.
        """
        if not self.path.exists():
            if mark.seq:
                _missing_lines(0, mark.seq)
            return
        zone = self.zone or (self.key.zone if self.key else "")
        with self.path.open("rb") as stream:
            if mark.seq and not self._stands(stream, mark):
                _broken(mark.seq, "what was read here before is not here any more")
            stream.seek(mark.offset)
            for line in stream:
                if not line.endswith(b"\n"):
                    return
                entry, signer = self._read(line, mark.seq + 1, mark.id)
                if signer != (zone := zone or signer):
                    _broken(entry.seq, f"it is signed by zone {signer}, and this is the ledger of {zone}")
                mark = Mark(mark.offset + len(line), entry.seq, entry.id)
                yield entry, mark

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
            raise Broken("The head of a ledger cannot be read", why=path.name) from error
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
                _broken(count, "its signed head names another entry here")
            yield entry
        if count < head[0]:  # more lines than the head tells are a writer killed before it could write the head
            _missing_lines(count, head[0])

    def verify(self) -> int:
        """Walk the whole ledger; the number of entries. Raises :class:`Broken` as :meth:`verified` does."""
        return sum(1 for _ in self.verified())

    def _read(self, line: bytes, number: int, previous: str) -> tuple[Entry, str]:
        """One line as an entry, verified against the number and id before it, and the zone that signed it."""
        try:
            told = json.loads(line)
            entry = Entry(
                told["seq"],
                datetime.fromisoformat(told["at"]),
                Actor.parse(told["by"]),
                told["verb"],
                told["object"],
                told["because"],
                told["previous"],
                told["id"],
            )
            signature = base64.b64decode(told["sig"])
            zone, _, keyid = told["keyid"].partition(":")
            # One way to write a line and no other: JSON and base64 both have spellings that read the same.
            as_written = canonical(told) + b"\n" == line and _b64(signature) == told["sig"]
        except (ValueError, KeyError, TypeError, AttributeError, Malformed):
            _broken(number, "it cannot be read")
        body = entry.body()
        if not as_written:
            _broken(number, "it is not as it was written")
        if entry.seq != number or entry.previous != previous:
            _broken(number, "it does not follow the line before it: a line is missing or was moved")
        if entry.id != digest(body):
            _broken(number, "its content was changed")
        self.ring.verify(zone, keyid, body, signature)
        return entry, zone

    @contextmanager
    def _locked(self) -> Iterator[Any]:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self._turn, self.path.open("a+b") as stream:
            fcntl.flock(stream, fcntl.LOCK_EX)
            yield stream

    def _tail(self, stream: Any) -> tuple[int, str]:
        """The last whole entry; a torn last line (a writer was killed) was never acknowledged and is taken off."""
        end = stream.seek(0, os.SEEK_END)
        if end == 0:
            return 0, START
        stream.seek(end - 1)
        if stream.read(1) != b"\n":
            end = self._line_start(stream, end)
            stream.truncate(end)
            if end == 0:
                return 0, START
        start = self._line_start(stream, end - 1)
        stream.seek(start)
        try:
            told = json.loads(stream.read(end - start))
            return int(told["seq"]), str(told["id"])
        except (ValueError, KeyError, TypeError) as error:
            raise Broken("The ledger's last line cannot be read", remedy="Run `haihe ledger verify`") from error

    def _stands(self, stream: Any, mark: Mark) -> bool:
        """True when the last entry that was read is still where it was."""
        if stream.seek(0, os.SEEK_END) < mark.offset:
            return False
        start = self._line_start(stream, mark.offset - 1)
        stream.seek(start)
        line = stream.read(mark.offset - start)
        try:
            return self._read(line, mark.seq, json.loads(line)["previous"])[0].id == mark.id
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
        told = {"seq": seq, "id": last, "keyid": f"{self.key.zone}:{self.key.keyid}", "sig": _b64(signature)}
        path = self._head_path()
        beside = path.with_suffix(".new")
        beside.write_bytes(canonical(told))
        os.replace(beside, path)

    def _head_path(self) -> Path:
        return self.path.with_suffix(".head.json")


def _body(seq: int, at: str, by: str, verb: str, thing: str, because: Mapping[str, Any], previous: str) -> bytes:
    told = {"seq": seq, "at": at, "by": by, "verb": verb, "object": thing, "because": because, "previous": previous}
    return canonical(told)


def _line(entry: Entry, key: SigningKey) -> bytes:
    body = entry.body()
    told = json.loads(body) | {"id": entry.id, "keyid": f"{key.zone}:{key.keyid}", "sig": _b64(key.sign(body))}
    return canonical(told) + b"\n"


def _b64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def _broken(line: int, why: str) -> NoReturn:
    raise Broken(f"The ledger is broken at line {line}", why=why, remedy="Compare with the copy of the last backup")


def _missing_lines(count: int, told: int) -> NoReturn:
    _broken(count + 1, f"it ends at entry {count}, and its signed head says {told}: lines are missing")
