"""The store: acts on one database, in transactions, without an event loop ever waiting for it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any, cast

from credit.messages import Text
from serving.store.lane import Lane
from serving.store.migrations import migrate
from serving.store.sqlite_engine import SqliteEngine
from serving.store.transaction import Act, Engine, StoreUnavailable, Transaction, Value

DEADLINE = 10.0  # seconds after which a request does not wait any more
Place = Path | str | None


class Store:
    """A database of the newest form. Safe to use from several threads, event loops and processes."""

    def __init__(self, engine: Engine) -> None:
        """Use a database that was migrated."""
        self._engine = engine
        self._writes = Lane("store", lambda acts, durable: engine.transact(acts, durable=durable))
        self._reads = Lane("store reads", lambda acts, _: engine.read(acts))

    @property
    def me(self) -> int:
        """The number of this process; `Transaction.lives` tells the others whether it still runs."""
        return self._engine.me

    def run(self, act: Act[Value], *, durable: bool = True) -> Value:
        """The value of an act in a transaction of its own, for callers that may wait. Raises StoreUnavailable.

        Raises RuntimeError in a thread with a running event loop, whose other requests would wait as well.
        """
        if _has_event_loop():
            raise RuntimeError("an event loop must not wait for the store: await Store.apply")
        return cast(Value, self._engine.transact([act], durable=durable)[0])

    def query(self, act: Act[Value]) -> Value:
        """The value of an act that changes nothing. Raises StoreUnavailable.

        With SQLite it waits for nothing but the file; PostgreSQL has a second to answer.
        """
        return cast(Value, self._engine.read([act])[0])

    async def apply(self, act: Act[Value], *, durable: bool = False) -> Value:
        """The value of an act, in one transaction with those of the other requests that wait at this moment.

        Unless `durable`, it may be lost in a power cut, but in no other way. Raises StoreUnavailable.
        """
        return cast(Value, await _within_deadline(self._writes.put(act, durable=durable)))

    async def read(self, act: Act[Value]) -> Value:
        """The value of an act that changes nothing, on the newest data. Raises StoreUnavailable."""
        value = self._engine.read_now(act)
        if value is not None:
            return value
        return cast(Value, await _within_deadline(self._reads.put(act, durable=False)))

    @property
    def lags(self) -> bool:
        """Whether `settle` has something to do."""
        return self._engine.lags

    def settle(self) -> None:
        """Do the periodic work of the database. It waits for the disk: call it in a thread, every second or so."""
        self._engine.settle()

    def close(self) -> None:
        """Do what waits, and close the database; to the other processes this one has ended."""
        self._writes.close()
        self._reads.close()
        self._engine.close()


def open_store(place: Place = None) -> Store:
    """Open the store at a path (SQLite) or an address (PostgreSQL), and bring it to the newest form.

    Without a place, it is in the memory of this process. Raises StoreUnavailable, and Broken for a store that a newer
    program has made.
    """
    engine: Engine
    if isinstance(place, str):
        from serving.store.postgres_engine import PostgresEngine  # psycopg is an extra

        engine = PostgresEngine(place)
    else:
        engine = SqliteEngine(place)
    try:
        migrate(engine, place if isinstance(place, Path) else None)
    except BaseException:
        engine.close()
        raise
    return Store(engine)


def statement(sql: str, *values: object) -> Act[list[tuple[Any, ...]]]:
    """The act of a single statement."""

    def act(transaction: Transaction) -> list[tuple[Any, ...]]:
        return transaction.rows(sql, *values)

    return act


def _has_event_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


async def _within_deadline(future: asyncio.Future[Any]) -> Any:
    timer = asyncio.get_running_loop().call_later(DEADLINE, _expire, future)
    try:
        return await future
    finally:
        timer.cancel()


def _expire(future: asyncio.Future[Any]) -> None:
    if not future.done():
        late = Text.verbatim(TimeoutError.__name__)
        future.set_exception(StoreUnavailable("store.not-available", why=late))
