"""The durable queue of monitoring: banks' webhook addresses, their watches, and their deliveries.

Subjects are stored by pseudonym only. When a watch ends, what is stored of its subject is erased.
"""

from __future__ import annotations

import json
import time
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from serving.endpoints.monitoring.changes import WatchedState
from serving.store.store import Store, statement
from serving.store.transaction import Rows, Transaction

WAITING, DELIVERED, DEAD, WITHDRAWN = "waiting", "delivered", "dead", "withdrawn"
KEPT = 30 * 24 * 3600  # seconds for which a finished delivery can be looked up
_WATCH = "id, bank, subject, model, mandate, purpose, kinds, told, version, seen, opened_at, ended"
_DELIVERY = "id, watch, bank, body, status, attempts, next_at, last, made_at"
_QUEUE = (
    "INSERT INTO delivery (id, watch, bank, body, told, version, status, attempts, next_at, last, made_at) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)


@dataclass(frozen=True, slots=True)
class WebhookEndpoint:
    """Where a bank's webhooks go, and the secret of their symmetric signature; one of before has an empty secret."""

    url: str
    secret: str = field(repr=False)


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
    """Safe to use from several threads and processes. Every change is on the disk before it returns."""

    def __init__(self, store: Store) -> None:
        """Use the tables in this store."""
        self._store = store

    def set_webhook(self, bank: str, url: str, secret: str, *, replace: bool) -> WebhookEndpoint:
        """Set this bank's webhook address. Its secret is `secret` when it has none yet, or with `replace`."""
        sql = (
            "INSERT INTO webhook (bank, url, secret) VALUES (?, ?, ?) ON CONFLICT (bank) DO UPDATE SET "
            "url = excluded.url, secret = CASE WHEN webhook.secret = '' OR ? = 1 THEN excluded.secret "
            "ELSE webhook.secret END RETURNING url, secret"
        )
        return WebhookEndpoint(*self._run(sql, bank, url, secret, int(replace))[0])

    def webhook(self, bank: str) -> WebhookEndpoint | None:
        """This bank's webhook address and secret, if it set an address."""
        rows = self._query("SELECT url, secret FROM webhook WHERE bank = ?", bank)
        return WebhookEndpoint(*rows[0]) if rows else None

    def banks_with_webhook(self) -> list[str]:
        """The banks that set an address."""
        return [str(bank) for (bank,) in self._run("SELECT bank FROM webhook ORDER BY bank")]

    def open(self, watch: Watch) -> None:
        """Begin a watch. A watch that exists under this id stays as it is."""
        assert watch.reported is not None
        row = (watch.id, watch.bank, watch.subject, watch.model, watch.mandate, watch.purpose, ",".join(watch.kinds),
               json.dumps(watch.reported.as_json()), watch.version, watch.seen, watch.opened_at, None)  # fmt: skip
        marks = ",".join("?" * len(row))
        self._run(f"INSERT INTO watch ({_WATCH}) VALUES ({marks}) ON CONFLICT (id) DO NOTHING", *row)

    def end(self, watch: str, why: str) -> None:
        """End a watch: waiting deliveries are withdrawn, and what is stored of the subject is erased."""

        def act(transaction: Transaction) -> None:
            transaction.rows("UPDATE watch SET ended = coalesce(ended, ?), told = NULL WHERE id = ?", why, watch)
            _withdraw(transaction, watch)

        self._store.run(act)

    def count(self, bank: str) -> int:
        """How many active watches a bank has."""
        return int(self._query("SELECT count(*) FROM watch WHERE bank = ? AND ended IS NULL", bank)[0][0])

    def watches(self, bank: str | None = None) -> list[Watch]:
        """The active watches, of one bank or of all."""
        sql, whose = f"SELECT {_WATCH} FROM watch WHERE ended IS NULL", () if bank is None else (bank,)
        rows = self._query(f"{sql}{' AND bank = ?' if whose else ''} ORDER BY opened_at", *whose)
        return [_watch(row) for row in rows]

    def unseen(self, snapshots: Collection[str]) -> list[Watch]:
        """The active watches that have seen none of these snapshots."""
        marks = ",".join("?" * len(snapshots)) or "''"
        sql = f"SELECT {_WATCH} FROM watch WHERE ended IS NULL AND seen NOT IN ({marks})"
        return [_watch(row) for row in self._query(sql, *snapshots)]

    def watch(self, name: str) -> Watch | None:
        """A watch, active or ended."""
        return next((_watch(row) for row in self._query(f"SELECT {_WATCH} FROM watch WHERE id = ?", name)), None)

    def queue_change(
        self, watch: Watch, snapshot: str, version: str, state: WatchedState, delivery_id: str, body: bytes | None
    ) -> None:
        """Record that the watch has seen a snapshot: waiting deliveries are outdated, and `body`, if any, is
        queued instead.
        """

        def act(transaction: Transaction) -> None:
            _withdraw(transaction, watch.id)
            transaction.rows("UPDATE watch SET seen = ? WHERE id = ? AND ended IS NULL", snapshot, watch.id)
            if body is not None:
                now, state_json = time.time(), json.dumps(state.as_json())
                row = (delivery_id, watch.id, watch.bank, body, state_json, version, WAITING, 0, now, "", now)
                transaction.rows(_QUEUE, *row)

        self._store.run(act)

    def due(self, now: float, limit: int) -> list[Delivery]:
        """The deliveries that are due, the longest waiting first."""
        sql = f"SELECT {_DELIVERY} FROM delivery WHERE status = ? AND next_at <= ? ORDER BY next_at LIMIT ?"
        return [_delivery(row) for row in self._query(sql, WAITING, now, limit)]

    def delivered(self, name: str, last: str) -> None:
        """Mark a delivery as done: its state is now what the bank knows."""

        def act(transaction: Transaction) -> None:
            sql = "UPDATE delivery SET status = ?, last = ? WHERE id = ? AND status = ? RETURNING watch, told, version"
            for watch, state, version in transaction.rows(sql, DELIVERED, last, name, WAITING):
                sql = "UPDATE watch SET told = ?, version = ? WHERE id = ? AND ended IS NULL"
                transaction.rows(sql, state, version, watch)
            transaction.rows("UPDATE delivery SET told = NULL WHERE id = ?", name)

        self._store.run(act)

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
        return [_delivery(row) for row in self._query(sql, bank, *statuses, limit)]

    def sweep(self, now: float) -> None:
        """Delete deliveries and watches that ended long ago."""

        def act(transaction: Transaction) -> None:
            transaction.rows("DELETE FROM delivery WHERE status <> ? AND made_at < ?", WAITING, now - KEPT)
            ended = "ended IS NOT NULL AND opened_at < ? AND id NOT IN (SELECT watch FROM delivery)"
            transaction.rows(f"DELETE FROM watch WHERE {ended}", now - KEPT)

        self._store.run(act)

    @property
    def is_idle(self) -> bool:
        """Whether no watch is active."""
        return not self._query("SELECT 1 FROM watch WHERE ended IS NULL LIMIT 1")

    def _query(self, sql: str, *values: object) -> Rows:
        return self._store.query(statement(sql, *values))

    def _run(self, sql: str, *values: object) -> Rows:
        return self._store.run(statement(sql, *values))


def _withdraw(transaction: Transaction, watch: str) -> None:
    sql = "UPDATE delivery SET status = ?, body = ?, told = NULL WHERE watch = ? AND status IN (?, ?)"
    transaction.rows(sql, WITHDRAWN, b"", watch, WAITING, DEAD)


def _watch(row: tuple[Any, ...]) -> Watch:
    name, bank, subject, model, mandate, purpose, kinds, reported, version, seen, opened_at, ended = row
    state = WatchedState.of_json(json.loads(reported)) if reported else None
    return Watch(name, bank, subject, model, mandate, purpose, tuple(kinds.split(",")), state, version, seen,
                 opened_at, ended)  # fmt: skip


def _delivery(row: tuple[Any, ...]) -> Delivery:
    return Delivery(*row)
