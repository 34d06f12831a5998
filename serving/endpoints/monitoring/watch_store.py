"""The durable queue of monitoring: banks' webhook addresses, their watches, and their deliveries, in one SQLite file.

The file is apart from the access database, so that a delivery does not empty the cache of mandate checks. Subjects
are stored by pseudonym only. When a watch ends, what is stored of its subject is erased.
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
KEPT = 30 * 24 * 3600  # seconds for which a finished delivery can be looked up
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
    """One subject watched for one bank under one mandate.

    `reported` is the state that the bank knows, `seen` the last snapshot compared.
    """

    id: str
    bank: str
    subject: str
    model: str
    mandate: str
    purpose: str
    kinds: tuple[str, ...]
    reported: WatchedState | None
    version: str
    seen: str
    opened_at: float
    ended: str | None


@dataclass(frozen=True, slots=True)
class Delivery:
    """One webhook to deliver; `last` is the outcome of the last attempt."""

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
    """May be used by several threads, and opened by several processes at once."""

    def __init__(self, path: Path) -> None:
        """Open the file at `path`; when it does not exist, create it readable by its owner only."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        self._lock = threading.RLock()
        self._db = sqlite3.connect(path, timeout=10, isolation_level=None, check_same_thread=False)
        self._db.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA secure_delete=ON;" + _SCHEMA)

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._db.close()

    def set_webhook(self, bank: str, url: str) -> None:
        """Set this bank's webhook address."""
        self._run("INSERT OR REPLACE INTO webhook VALUES (?, ?)", bank, url)

    def webhook(self, bank: str) -> str | None:
        """This bank's webhook address, if it set one."""
        rows = self._run("SELECT url FROM webhook WHERE bank = ?", bank)
        return str(rows[0][0]) if rows else None

    def open(self, watch: Watch) -> None:
        """Begin a watch. A watch that exists under this id stays as it is."""
        assert watch.reported is not None
        row = (watch.id, watch.bank, watch.subject, watch.model, watch.mandate, watch.purpose, ",".join(watch.kinds),
               json.dumps(watch.reported.as_json()), watch.version, watch.seen, watch.opened_at, None)  # fmt: skip
        self._run(f"INSERT OR IGNORE INTO watch ({_WATCH}) VALUES ({','.join('?' * 12)})", *row)

    def end(self, watch: str, why: str) -> None:
        """End a watch: waiting deliveries are withdrawn, and what is stored of the subject is erased."""
        with self._transaction():
            self._run("UPDATE watch SET ended = coalesce(ended, ?), told = NULL WHERE id = ?", why, watch)
            self._withdraw(watch)

    def count(self, bank: str) -> int:
        """How many active watches a bank has."""
        return int(self._run("SELECT count(*) FROM watch WHERE bank = ? AND ended IS NULL", bank)[0][0])

    def watches(self, bank: str | None = None) -> list[Watch]:
        """The active watches, of one bank or of all."""
        sql = f"SELECT {_WATCH} FROM watch WHERE ended IS NULL AND (? IS NULL OR bank = ?) ORDER BY opened_at"
        return [_watch(row) for row in self._run(sql, bank, bank)]

    def unseen(self, snapshots: Collection[str]) -> list[Watch]:
        """The active watches that have seen none of these snapshots."""
        marks = ",".join("?" * len(snapshots))
        sql = f"SELECT {_WATCH} FROM watch WHERE ended IS NULL AND seen NOT IN ({marks})"
        return [_watch(row) for row in self._run(sql, *snapshots)]

    def watch(self, name: str) -> Watch | None:
        """A watch, active or ended."""
        return next((_watch(row) for row in self._run(f"SELECT {_WATCH} FROM watch WHERE id = ?", name)), None)

    def queue_change(
        self, watch: Watch, snapshot: str, version: str, state: WatchedState, delivery_id: str, body: bytes | None
    ) -> None:
        """Record that the watch has seen a snapshot: waiting deliveries are outdated, and `body`, if any, is
        queued instead.
        """
        with self._transaction():
            self._withdraw(watch.id)
            self._run("UPDATE watch SET seen = ? WHERE id = ? AND ended IS NULL", snapshot, watch.id)
            if body is not None:
                now, state_json = time.time(), json.dumps(state.as_json())
                row = (delivery_id, watch.id, watch.bank, body, state_json, version, WAITING, 0, now, "", now)
                self._run(f"INSERT INTO delivery VALUES ({','.join('?' * 11)})", *row)

    def due(self, now: float, limit: int) -> list[Delivery]:
        """The deliveries that are due, the longest waiting first."""
        sql = f"SELECT {_DELIVERY} FROM delivery WHERE status = ? AND next_at <= ? ORDER BY next_at LIMIT ?"
        return [_delivery(row) for row in self._run(sql, WAITING, now, limit)]

    def delivered(self, name: str, last: str) -> None:
        """Mark a delivery as done: its state is now what the bank knows."""
        with self._transaction():
            updated = self._run("UPDATE delivery SET status = ?, last = ? WHERE id = ? AND status = ? "
                             "RETURNING watch, told, version", DELIVERED, last, name, WAITING)  # fmt: skip
            for watch, state, version in updated:
                sql = "UPDATE watch SET told = ?, version = ? WHERE id = ? AND ended IS NULL"
                self._run(sql, state, version, watch)
            self._run("UPDATE delivery SET told = NULL WHERE id = ?", name)

    def failed(self, name: str, last: str, next_at: float | None) -> None:
        """Record a failed attempt: the delivery is due again at `next_at`, or is dead when there is no such time."""
        sql = (
            "UPDATE delivery SET attempts = attempts + 1, last = ?, status = ?, next_at = ? WHERE id = ? AND status = ?"
        )
        self._run(sql, last, WAITING if next_at else DEAD, next_at or 0.0, name, WAITING)

    def postpone(self, name: str, at: float) -> None:
        """Make a delivery due at `at` without an attempt, since it may not be sent now."""
        self._run("UPDATE delivery SET next_at = ? WHERE id = ? AND status = ?", at, name, WAITING)

    def requeue(self, bank: str, name: str, now: float) -> bool:
        """Queue a dead delivery of this bank again; False when there is none of this id."""
        sql = "UPDATE delivery SET status = ?, attempts = 0, next_at = ? WHERE id = ? AND bank = ? AND status = ?"
        return bool(self._run(f"{sql} RETURNING id", WAITING, now, name, bank, DEAD))

    def deliveries(self, bank: str, statuses: Collection[str], limit: int = 1000) -> list[Delivery]:
        """A bank's deliveries with these statuses, the newest first."""
        marks = ",".join("?" * len(statuses))
        sql = f"SELECT {_DELIVERY} FROM delivery WHERE bank = ? AND status IN ({marks}) ORDER BY made_at DESC LIMIT ?"
        return [_delivery(row) for row in self._run(sql, bank, *statuses, limit)]

    def sweep(self, now: float) -> None:
        """Delete deliveries and watches that ended long ago."""
        with self._transaction():
            self._run("DELETE FROM delivery WHERE status <> ? AND made_at < ?", WAITING, now - KEPT)
            self._run("DELETE FROM watch WHERE ended IS NOT NULL AND opened_at < ? AND id NOT IN "
                      "(SELECT watch FROM delivery)", now - KEPT)  # fmt: skip

    @property
    def is_idle(self) -> bool:
        """Whether no watch is active."""
        return not self._run("SELECT 1 FROM watch WHERE ended IS NULL LIMIT 1")

    def _withdraw(self, watch: str) -> None:
        sql = "UPDATE delivery SET status = ?, body = x'', told = NULL WHERE watch = ? AND status IN (?, ?)"
        self._run(sql, WITHDRAWN, watch, WAITING, DEAD)

    def _run(self, sql: str, *values: object) -> Sequence[tuple[Any, ...]]:
        with self._lock:
            return self._db.execute(sql, values).fetchall()

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")


def _watch(row: tuple[Any, ...]) -> Watch:
    name, bank, subject, model, mandate, purpose, kinds, reported, version, seen, opened_at, ended = row
    state = WatchedState.of_json(json.loads(reported)) if reported else None
    return Watch(name, bank, subject, model, mandate, purpose, tuple(kinds.split(",")), state, version, seen,
                 opened_at, ended)  # fmt: skip


def _delivery(row: tuple[Any, ...]) -> Delivery:
    return Delivery(*row)
