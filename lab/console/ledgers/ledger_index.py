"""A search index over a ledger (台账索引), for pages that search hundreds of thousands of entries.

The index is a SQLite file and not a record: it follows the ledger from the position up to which it has verified it, and
is rebuilt when the ledger no longer holds that position. A page shows entries read and verified again from the ledger.
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
from credit.ledger import Entry, Ledger, Position
from credit.settings import BEIJING

_TABLES = """
CREATE TABLE IF NOT EXISTS entry (seq INTEGER PRIMARY KEY, offset INTEGER, at TEXT, day TEXT, by TEXT, verb TEXT,
  object TEXT, because TEXT, previous TEXT, id TEXT, words TEXT);
CREATE INDEX IF NOT EXISTS of_object ON entry (object);
CREATE INDEX IF NOT EXISTS of_verb ON entry (verb);
CREATE INDEX IF NOT EXISTS of_by ON entry (by);
CREATE INDEX IF NOT EXISTS of_day ON entry (day);
CREATE TABLE IF NOT EXISTS mark (one INTEGER PRIMARY KEY CHECK (one = 1), offset INTEGER, seq INTEGER, id TEXT);
"""

BLOCK = 500  # entries between two commits


@dataclass(frozen=True, slots=True)
class LedgerSearch:
    """A search over entries; empty fields match everything. ``text`` matches anywhere in an entry, ignoring case.

    ``by`` matches the name, or ``role:name``; ``verb`` the beginning of the verb; ``day`` a date (``YYYY-MM-DD``) in
    Beijing time.
    """

    by: str = ""
    verb: str = ""
    object: str = ""
    day: str = ""
    text: str = ""

    def where(self) -> tuple[str, list[str]]:
        """The SQL condition and the values of its parameters."""
        conditions: list[tuple[str, str]] = []
        if self.by:
            conditions.append(
                ("by = ?", self.by) if ":" in self.by else ("by LIKE ? ESCAPE '~'", f"%:{_like(self.by)}%")
            )
        if self.verb:
            conditions.append(("verb LIKE ? ESCAPE '~'", f"{_like(self.verb)}%"))
        if self.object:
            conditions.append(("object LIKE ? ESCAPE '~'", f"%{_like(self.object)}%"))
        if self.day:
            conditions.append(("day = ?", self.day))
        if self.text:
            conditions.append(
                ("words LIKE ? ESCAPE '~'", f"%{_like(self.text.lower())}%")
            )  # three times as fast as instr
        return " AND ".join(each for each, _ in conditions) or "1", [value for _, value in conditions]

    def as_query(self) -> dict[str, str]:
        """The fields that are not empty, as the query of a page's address."""
        return {each.name: getattr(self, each.name) for each in fields(self) if getattr(self, each.name)}


class LedgerIndex:
    """The index of one ledger. One thread reads the ledger at a time; several processes may open the same file."""

    def __init__(self, ledger: Ledger, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.ledger, self._path, self._lock = ledger, path, threading.Lock()
        self._database = sqlite3.connect(path, check_same_thread=False, isolation_level=None, timeout=30)
        self._database.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF;" + _TABLES)
        self._checked = False

    def catch_up(self, stop: Callable[[], bool] = lambda: False) -> Position:
        """Index the new entries of the ledger and return the position reached.

        ``stop`` is called after each block and ends the reading when it returns True. Raises
        :class:`~credit.errors.Broken` when the ledger does not verify.
        """
        with self._lock:
            return self._read_on(stop)

    def read_block(self) -> None:
        """Index one block of new entries unless another thread is indexing. Raises as :meth:`catch_up` does."""
        if self._lock.acquire(timeout=1):
            try:
                self._read_on(lambda: True)
            finally:
                self._lock.release()

    def reached(self) -> int:
        """The number of entries in the index."""
        return self._position().seq

    def find(self, search: LedgerSearch, *, before: int = 0, limit: int = 50) -> list[int]:
        """Sequence numbers of the newest ``limit`` matching entries, below ``before`` unless it is 0."""
        where, values = search.where()
        below = "AND seq < ?" if before else ""
        sql = f"SELECT seq FROM entry WHERE {where} {below} ORDER BY seq DESC LIMIT ?"
        return [row[0] for row in self._rows(sql, [*values, *([before] if before else []), limit])]

    def count(self, search: LedgerSearch, *, before: int = 0) -> int:
        """The number of matching entries, below ``before`` unless it is 0."""
        where, values = search.where()
        sql = f"SELECT count(*) FROM entry WHERE {where} {'AND seq < ?' if before else ''}"
        return int(self._rows(sql, [*values, *([before] if before else [])])[0][0])

    def count_by_status(self, search: LedgerSearch, *, month: str) -> list[tuple[str, str, int]]:
        """Verb, HTTP status and number of the matching entries of a month ``YYYY-MM`` in Beijing time."""
        where, values = search.where()
        sql = "SELECT verb, coalesce(json_extract(because, '$.status'), ''), count(*) FROM entry"
        rows = self._rows(f"{sql} WHERE {where} AND day LIKE ? GROUP BY 1, 2 ORDER BY 1, 2", [*values, f"{month}-%"])
        return [(str(verb), str(status), int(count)) for verb, status, count in rows]

    def read(self, numbers: Sequence[int]) -> list[Entry]:
        """The entries with these sequence numbers, read and verified again from the ledger itself.

        Raises :class:`~credit.errors.Broken` when an entry is not the one that was indexed.
        """
        entries = []
        for number in numbers:
            rows = self._rows("SELECT offset, previous, id FROM entry WHERE seq = ?", [number])
            for offset, previous, digest in rows:
                pair = next(self.ledger.follow(Position(offset, number - 1, previous)), None)
                if pair is None or pair[0].id != digest:
                    raise Broken("ledger-index.ledger-broken-at-line-entry-read-before", number=number)
                entries.append(pair[0])
        return entries

    def entries(self, *verbs: str, object: str = "") -> Iterator[Entry]:
        """The entries whose verb begins with one of ``verbs``, in order, as they were verified when indexed.

        ``object`` restricts them to one object.
        """
        condition = " OR ".join("verb GLOB ?" for _ in verbs) or "1"
        values: list[str | int] = [f"{verb}*" for verb in verbs]
        if object:
            condition, values = f"({condition}) AND object = ?", [*values, object]
        for row in self._rows(
            f"SELECT seq, at, by, verb, object, because, previous, id FROM entry WHERE {condition} ORDER BY seq", values
        ):
            seq, at, by, verb, object_id, details, previous, digest = row
            moment = datetime.fromisoformat(at)
            yield Entry(seq, moment, Actor.parse(by), verb, object_id, json.loads(details), previous, digest)

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._database.close()

    def _read_on(self, stop: Callable[[], bool]) -> Position:
        mark = self._position()
        if not self._checked:
            mark = self._verify_position(mark)
            self._checked = True
        head = self.ledger.head()
        if head[0] < mark.seq:
            raise Broken("ledger-index.ledger-shorter-than", seq=mark.seq, data=head[0])
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
        if mark.seq < head[0]:
            raise Broken("ledger-index.ledger-broken-at-line", seq=mark.seq + 1, seq2=mark.seq, data=head[0])
        return mark

    def _rows(self, sql: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
        return self._database.execute(sql, values).fetchall()

    def _position(self) -> Position:
        row = self._database.execute("SELECT offset, seq, id FROM mark").fetchone()
        return Position(*row) if row else Position()

    def _verify_position(self, mark: Position) -> Position:
        """``mark`` when the ledger still has that entry at that position; otherwise empty the index and start again."""
        try:
            if mark.seq == 0 or self.read([mark.seq]):
                return mark
        except Broken:
            pass
        self._database.executescript("DELETE FROM entry; DELETE FROM mark;")
        return Position()

    def _write(self, block: list[tuple[Any, ...]], mark: Position) -> None:
        if block:
            self._database.execute("BEGIN IMMEDIATE")
            self._database.executemany("INSERT OR REPLACE INTO entry VALUES (?,?,?,?,?,?,?,?,?,?,?)", block)
            self._database.execute("INSERT OR REPLACE INTO mark VALUES (1, ?, ?, ?)", (mark.offset, mark.seq, mark.id))
            self._database.execute("COMMIT")


def _row(entry: Entry, offset: int) -> tuple[Any, ...]:
    by, details = str(entry.by), canonical(entry.details).decode()
    day = entry.at.astimezone(BEIJING).date().isoformat()
    searchable = " ".join((by, entry.verb, entry.object, details, entry.id)).lower()
    columns = (entry.at.isoformat(), day, by, entry.verb, entry.object, details, entry.previous, entry.id, searchable)
    return entry.seq, offset, *columns


def _like(text: str) -> str:
    return text.replace("~", "~~").replace("%", "~%").replace("_", "~_")
