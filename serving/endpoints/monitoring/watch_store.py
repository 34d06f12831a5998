"""The durable queue: banks' webhook addresses, their watches, and what is still to be told, in one SQLite file.

A file of its own beside the access database: a delivery must not empty what the door remembers of mandates. Subjects
are here by pseudonym only; when a watch ends, what was remembered of its subject is wiped.
"""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from serving.endpoints.monitoring.changes import WatchedState

WAITING, DELIVERED, DEAD, WITHDRAWN = "waiting", "delivered", "dead", "withdrawn"
KEPT = 30 * 24 * 3600  # seconds for which a delivery that is over can be looked up
_SCHEMA = """
CREATE TABLE IF NOT EXISTS webhook (bank TEXT PRIMARY KEY, url TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS watch (
  id TEXT PRIMARY KEY, bank TEXT NOT NULL, subject TEXT NOT NULL, model TEXT NOT NULL, mandate TEXT NOT NULL,
  purpose TEXT NOT NULL, kinds TEXT NOT NULL, told TEXT, version TEXT NOT NULL, seen TEXT NOT NULL,
  opened_at REAL NOT NULL, ended TEXT) STRICT;
CREATE INDEX IF NOT EXISTS watch_live ON watch (bank, ended);
CREATE TABLE IF NOT EXISTS delivery (
  id TEXT PRIMARY KEY, watch TEXT NOT NULL REFERENCES watch(id), bank TEXT NOT NULL, body BLOB NOT NULL, told TEXT,
  version TEXT NOT NULL, status TEXT NOT NULL, attempts INTEGER NOT NULL, next_at REAL NOT NULL, last TEXT NOT NULL,
  made_at REAL NOT NULL) STRICT;
CREATE INDEX IF NOT EXISTS delivery_due ON delivery (status, next_at);
"""
_WATCH = "id, bank, subject, model, mandate, purpose, kinds, told, version, seen, opened_at, ended"
_DELIVERY = "id, watch, bank, body, status, attempts, next_at, last, made_at"


@dataclass(frozen=True, slots=True)
class Watch:
    """One subject watched for one bank under one mandate; `told` is what the bank knows, `seen` the last snapshot."""

    id: str
    bank: str
    subject: str
    model: str
    mandate: str
    purpose: str
    kinds: tuple[str, ...]
    told: WatchedState | None
    version: str
    seen: str
    opened_at: float
    ended: str | None


@dataclass(frozen=True, slots=True)
class Delivery:
    """One webhook on its way; `last` says what came of the last attempt."""

    id: str
    watch: str
    bank: str
    body: bytes
    status: str
    attempts: int
    next_at: float
    last: str
    made_at: float


class WatchStore:
    """Safe to use from several threads and open in several processes at once."""

    def __init__(self, path: Path) -> None:
        """Open the file at `path`, made readable to its owner alone when it does not exist."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        self._turn = threading.RLock()
        self._db = sqlite3.connect(path, timeout=10, isolation_level=None, check_same_thread=False)
        self._db.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA secure_delete=ON;" + _SCHEMA)

    def close(self) -> None:
        """Close the file."""
        with self._turn:
            self._db.close()

    def set_webhook(self, bank: str, url: str) -> None:
        """Where this bank is told."""
        self._run("INSERT OR REPLACE INTO webhook VALUES (?, ?)", bank, url)

    def webhook(self, bank: str) -> str | None:
        """Where this bank is told, if it said so."""
        found = self._run("SELECT url FROM webhook WHERE bank = ?", bank)
        return str(found[0][0]) if found else None

    def open(self, watch: Watch) -> None:
        """Begin a watch; one that was begun under its name stays as it is."""
        assert watch.told is not None
        row = (watch.id, watch.bank, watch.subject, watch.model, watch.mandate, watch.purpose, ",".join(watch.kinds),
               json.dumps(watch.told.as_json()), watch.version, watch.seen, watch.opened_at, None)  # fmt: skip
        self._run(f"INSERT OR IGNORE INTO watch ({_WATCH}) VALUES ({','.join('?' * 12)})", *row)

    def end(self, watch: str, why: str) -> None:
        """End a watch: what waits is withdrawn and what was remembered of the subject is wiped."""
        with self._whole():
            self._run("UPDATE watch SET ended = coalesce(ended, ?), told = NULL WHERE id = ?", why, watch)
            self._withdraw(watch)

    def count(self, bank: str) -> int:
        """How many watches of a bank live."""
        return int(self._run("SELECT count(*) FROM watch WHERE bank = ? AND ended IS NULL", bank)[0][0])

    def watches(self, bank: str | None = None) -> list[Watch]:
        """The living watches, of one bank or of all."""
        sql = f"SELECT {_WATCH} FROM watch WHERE ended IS NULL AND (? IS NULL OR bank = ?) ORDER BY opened_at"
        return [_watch(row) for row in self._run(sql, bank, bank)]

    def unseen(self, snapshots: Collection[str]) -> list[Watch]:
        """The living watches that have not seen any of these snapshots yet."""
        marks = ",".join("?" * len(snapshots))
        sql = f"SELECT {_WATCH} FROM watch WHERE ended IS NULL AND seen NOT IN ({marks})"
        return [_watch(row) for row in self._run(sql, *snapshots)]

    def watch(self, name: str) -> Watch | None:
        """A watch, ended or not."""
        return next((_watch(row) for row in self._run(f"SELECT {_WATCH} FROM watch WHERE id = ?", name)), None)

    def queue_change(
        self, watch: Watch, snapshot: str, version: str, after: WatchedState, message: str, body: bytes | None
    ) -> None:
        """A new snapshot was seen: what still waits is out of date, and `body`, if there is one, is told instead."""
        with self._whole():
            self._withdraw(watch.id)
            self._run("UPDATE watch SET seen = ? WHERE id = ? AND ended IS NULL", snapshot, watch.id)
            if body is not None:
                now, state = time.time(), json.dumps(after.as_json())
                row = (message, watch.id, watch.bank, body, state, version, WAITING, 0, now, "", now)
                self._run(f"INSERT INTO delivery VALUES ({','.join('?' * 11)})", *row)

    def due(self, now: float, most: int) -> list[Delivery]:
        """What is to be tried now, the longest waiting first."""
        sql = f"SELECT {_DELIVERY} FROM delivery WHERE status = ? AND next_at <= ? ORDER BY next_at LIMIT ?"
        return [_delivery(row) for row in self._run(sql, WAITING, now, most)]

    def delivered(self, name: str, last: str) -> None:
        """The bank has it: from now on this is what it knows."""
        with self._whole():
            told = self._run("UPDATE delivery SET status = ?, last = ? WHERE id = ? AND status = ? "
                             "RETURNING watch, told, version", DELIVERED, last, name, WAITING)  # fmt: skip
            for watch, state, version in told:
                sql = "UPDATE watch SET told = ?, version = ? WHERE id = ? AND ended IS NULL"
                self._run(sql, state, version, watch)
            self._run("UPDATE delivery SET told = NULL WHERE id = ?", name)

    def failed(self, name: str, last: str, next_at: float | None) -> None:
        """An attempt failed; it is tried again at `next_at`, or is a dead letter when there is no such time."""
        sql = (
            "UPDATE delivery SET attempts = attempts + 1, last = ?, status = ?, next_at = ? WHERE id = ? AND status = ?"
        )
        self._run(sql, last, WAITING if next_at else DEAD, next_at or 0.0, name, WAITING)

    def postpone(self, name: str, at: float) -> None:
        """What may not be told now is looked at again at a time; no attempt was made."""
        self._run("UPDATE delivery SET next_at = ? WHERE id = ? AND status = ?", at, name, WAITING)

    def requeue(self, bank: str, name: str, now: float) -> bool:
        """Send a dead letter of this bank's anew; False when there is no such dead letter."""
        sql = "UPDATE delivery SET status = ?, attempts = 0, next_at = ? WHERE id = ? AND bank = ? AND status = ?"
        return bool(self._run(f"{sql} RETURNING id", WAITING, now, name, bank, DEAD))

    def deliveries(self, bank: str, statuses: Collection[str], most: int = 1000) -> list[Delivery]:
        """A bank's deliveries in these states, the newest first."""
        marks = ",".join("?" * len(statuses))
        sql = f"SELECT {_DELIVERY} FROM delivery WHERE bank = ? AND status IN ({marks}) ORDER BY made_at DESC LIMIT ?"
        return [_delivery(row) for row in self._run(sql, bank, *statuses, most)]

    def sweep(self, now: float) -> None:
        """Forget deliveries and watches that have been over for long."""
        with self._whole():
            self._run("DELETE FROM delivery WHERE status <> ? AND made_at < ?", WAITING, now - KEPT)
            self._run("DELETE FROM watch WHERE ended IS NOT NULL AND opened_at < ? AND id NOT IN "
                      "(SELECT watch FROM delivery)", now - KEPT)  # fmt: skip

    @property
    def is_idle(self) -> bool:
        """Whether there is nothing to look after."""
        return not self._run("SELECT 1 FROM watch WHERE ended IS NULL LIMIT 1")

    def _withdraw(self, watch: str) -> None:
        sql = "UPDATE delivery SET status = ?, body = x'', told = NULL WHERE watch = ? AND status IN (?, ?)"
        self._run(sql, WITHDRAWN, watch, WAITING, DEAD)

    def _run(self, sql: str, *values: object) -> Sequence[tuple[Any, ...]]:
        with self._turn:
            return self._db.execute(sql, values).fetchall()

    @contextmanager
    def _whole(self) -> Iterator[None]:
        with self._turn:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")


def _watch(row: tuple[Any, ...]) -> Watch:
    name, bank, subject, model, mandate, purpose, kinds, told, version, seen, opened_at, ended = row
    state = WatchedState.of_json(json.loads(told)) if told else None
    return Watch(name, bank, subject, model, mandate, purpose, tuple(kinds.split(",")), state, version, seen,
                 opened_at, ended)  # fmt: skip


def _delivery(row: tuple[Any, ...]) -> Delivery:
    return Delivery(*row)
