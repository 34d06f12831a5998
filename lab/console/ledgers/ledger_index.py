"""An index of a ledger (台账索引), so that its hundred thousand entries are searched while a person waits.

It is no record: a SQLite file that keeps up with the ledger from the mark it has verified up to, and is made anew when
that mark is no longer in the ledger. It finds entries; what is shown is read and verified again from the ledger.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from pathlib import Path
from typing import Any

from credit.actor import Actor
from credit.canonical import canonical
from credit.errors import Broken
from credit.ledger import Entry, Ledger, Mark
from lab.settings import BEIJING

_TABLES = """
CREATE TABLE IF NOT EXISTS entry (seq INTEGER PRIMARY KEY, offset INTEGER, at TEXT, day TEXT, by TEXT, verb TEXT,
  object TEXT, because TEXT, previous TEXT, id TEXT, words TEXT);
CREATE INDEX IF NOT EXISTS of_object ON entry (object);
CREATE INDEX IF NOT EXISTS of_verb ON entry (verb);
CREATE INDEX IF NOT EXISTS of_by ON entry (by);
CREATE INDEX IF NOT EXISTS of_day ON entry (day);
CREATE TABLE IF NOT EXISTS mark (one INTEGER PRIMARY KEY CHECK (one = 1), offset INTEGER, seq INTEGER, id TEXT);
"""

BLOCK = 500  # entries read between two commits


@dataclass(frozen=True, slots=True)
class Search:
    """What to look for; what is empty is not asked. ``text`` is found anywhere in an entry, in any case."""

    by: str = ""
    verb: str = ""
    object: str = ""
    day: str = ""
    text: str = ""

    def where(self) -> tuple[str, list[str]]:
        """The condition in SQL and its values."""
        asked: list[tuple[str, str]] = []
        if self.by:
            asked.append(("by = ?", self.by) if ":" in self.by else ("by LIKE ? ESCAPE '~'", f"%:{_like(self.by)}%"))
        if self.verb:
            asked.append(("verb LIKE ? ESCAPE '~'", f"{_like(self.verb)}%"))
        if self.object:
            asked.append(("object LIKE ? ESCAPE '~'", f"%{_like(self.object)}%"))
        if self.day:
            asked.append(("day = ?", self.day))
        if self.text:
            asked.append(("words LIKE ? ESCAPE '~'", f"%{_like(self.text.lower())}%"))  # thrice as fast as instr
        return " AND ".join(each for each, _ in asked) or "1", [value for _, value in asked]

    def asked(self) -> dict[str, str]:
        """What was asked, by name."""
        return {each.name: getattr(self, each.name) for each in fields(self) if getattr(self, each.name)}


class Index:
    """The index of one ledger. Threads take turns; another process may hold its own on the same file."""

    def __init__(self, ledger: Ledger, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.ledger, self._path, self._turn = ledger, path, threading.Lock()
        self._base = sqlite3.connect(path, check_same_thread=False, isolation_level=None, timeout=30)
        self._base.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF;" + _TABLES)
        self._begun = False

    def keep_up(self, stop: Callable[[], bool] = lambda: False) -> Mark:
        """Read what is new in the ledger; the mark reached. Raises :class:`~credit.errors.Broken`."""
        with self._turn:
            return self._read_on(stop)

    def glance(self) -> None:
        """Read a block of what is new, unless a long reading is under way; raises as :meth:`keep_up` does."""
        if self._turn.acquire(timeout=1):
            try:
                self._read_on(lambda: True)
            finally:
                self._turn.release()

    def reached(self) -> int:
        """How many entries are in the index."""
        return self._mark().seq

    def find(self, search: Search, *, before: int = 0, limit: int = 50) -> list[int]:
        """The numbers of the newest entries that fit, below ``before`` when it is given."""
        where, values = search.where()
        below = "AND seq < ?" if before else ""
        asked = f"SELECT seq FROM entry WHERE {where} {below} ORDER BY seq DESC LIMIT ?"
        return [row[0] for row in self._all(asked, [*values, *([before] if before else []), limit])]

    def count(self, search: Search, *, before: int = 0) -> int:
        """How many entries fit, below ``before`` when it is given."""
        where, values = search.where()
        asked = f"SELECT count(*) FROM entry WHERE {where} {'AND seq < ?' if before else ''}"
        return int(self._all(asked, [*values, *([before] if before else [])])[0][0])

    def read(self, numbers: Sequence[int]) -> list[Entry]:
        """These entries, read and verified anew from the ledger itself; raises :class:`~credit.errors.Broken`."""
        found = []
        for number in numbers:
            rows = self._all("SELECT offset, previous, id FROM entry WHERE seq = ?", [number])
            for offset, previous, digest in rows:
                pair = next(self.ledger.follow(Mark(offset, number - 1, previous)), None)
                if pair is None or pair[0].id != digest:
                    raise Broken("ledger-index.ledger-broken-at-line-entry-read-before", number=number)
                found.append(pair[0])
        return found

    def told(self, *verbs: str, object: str = "") -> Iterator[Entry]:
        """The entries whose verb begins with one of ``verbs``, in order, as they were when they were verified."""
        asked = " OR ".join("verb GLOB ?" for _ in verbs) or "1"
        values: list[str | int] = [f"{verb}*" for verb in verbs]
        if object:
            asked, values = f"({asked}) AND object = ?", [*values, object]
        for row in self._all(
            f"SELECT seq, at, by, verb, object, because, previous, id FROM entry WHERE {asked} ORDER BY seq", values
        ):
            seq, at, by, verb, thing, because, previous, digest = row
            moment = datetime.fromisoformat(at)
            yield Entry(seq, moment, Actor.parse(by), verb, thing, json.loads(because), previous, digest)

    def close(self) -> None:
        """Let go of the file."""
        with self._turn:
            self._base.close()

    def _read_on(self, stop: Callable[[], bool]) -> Mark:
        mark = self._mark()
        if not self._begun:
            mark = self._still_there(mark)
            self._begun = True
        told = self.ledger.head()
        if told[0] < mark.seq:
            raise Broken("ledger-index.ledger-shorter-than", seq=mark.seq, data=told[0])
        block: list[tuple[Any, ...]] = []
        for entry, after in self.ledger.follow(mark):
            block.append(_row(entry, mark.offset))
            mark = after
            if len(block) >= BLOCK:
                self._write(block, mark)
                block = []
                if stop():
                    return mark
        self._write(block, mark)
        if mark.seq < told[0]:
            raise Broken("ledger-index.ledger-broken-at-line", seq=mark.seq + 1, seq2=mark.seq, data=told[0])
        return mark

    def _all(self, asked: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
        return self._base.execute(asked, values).fetchall()

    def _mark(self) -> Mark:
        row = self._base.execute("SELECT offset, seq, id FROM mark").fetchone()
        return Mark(*row) if row else Mark()

    def _still_there(self, mark: Mark) -> Mark:
        """``mark`` if the ledger still has that entry just there; otherwise an empty index and the beginning."""
        try:
            if mark.seq == 0 or self.read([mark.seq]):
                return mark
        except Broken:
            pass
        self._base.executescript("DELETE FROM entry; DELETE FROM mark;")
        return Mark()

    def _write(self, block: list[tuple[Any, ...]], mark: Mark) -> None:
        if block:
            self._base.execute("BEGIN IMMEDIATE")
            self._base.executemany("INSERT OR REPLACE INTO entry VALUES (?,?,?,?,?,?,?,?,?,?,?)", block)
            self._base.execute("INSERT OR REPLACE INTO mark VALUES (1, ?, ?, ?)", (mark.offset, mark.seq, mark.id))
            self._base.execute("COMMIT")


def _row(entry: Entry, offset: int) -> tuple[Any, ...]:
    by, because = str(entry.by), canonical(entry.because).decode()
    day = entry.at.astimezone(BEIJING).date().isoformat()
    words = " ".join((by, entry.verb, entry.object, because, entry.id)).lower()
    told = (entry.at.isoformat(), day, by, entry.verb, entry.object, because, entry.previous, entry.id, words)
    return entry.seq, offset, *told


def _like(text: str) -> str:
    return text.replace("~", "~~").replace("%", "~%").replace("_", "~_")
