"""Both engines do an act whole or not at all, keep requests apart, and never make an event loop wait."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from serving.store.store import Store, open_store, statement
from serving.store.transaction import StoreUnavailable, Transaction

INSERT = "INSERT INTO heard (name, number) VALUES (?, ?)"
ALL = statement("SELECT name, number FROM heard ORDER BY name")


@pytest.fixture
def store(place: Any) -> Any:
    store = open_store(place)
    yield store
    store.close()


class Failed(Exception):
    """Of an act."""


def failing(transaction: Transaction) -> None:
    transaction.rows(INSERT, "lost", 1)
    raise Failed


def test_an_act_is_done_whole_or_not_at_all(store: Store) -> None:
    with pytest.raises(Failed):
        store.run(failing)
    assert store.run(ALL) == []

    def both(transaction: Transaction) -> int:
        transaction.rows(INSERT, "a", 1)
        transaction.rows(INSERT, "b", 2)
        return 3

    assert store.run(both) == 3
    assert store.run(ALL) == [("a", 1), ("b", 2)]


def test_one_requests_failure_is_no_other_requests(store: Store) -> None:
    async def all_() -> list[Any]:
        acts = [store.apply(statement(INSERT, f"n{number}", number)) for number in range(20)]
        acts.insert(7, store.apply(failing))
        acts.insert(13, store.apply(statement(INSERT, "n3", 0)))  # the key is taken
        return await asyncio.gather(*acts, return_exceptions=True)

    results = asyncio.run(all_())
    assert [number for number, result in enumerate(results) if isinstance(result, Exception)] == [7, 13]
    assert isinstance(results[7], Failed)
    assert len(store.run(ALL)) == 20


def test_what_is_committed_is_read_at_once_by_every_process(store: Store, place: Any) -> None:
    other = open_store(place)

    async def see() -> None:
        for number in range(50):
            await store.apply(statement("UPDATE generation SET value = ?", number))
            assert await other.read(statement("SELECT value FROM generation")) == [(number,)]

    asyncio.run(see())
    other.close()


def test_of_many_counters_at_once_in_several_stores_none_is_lost(place: Any) -> None:
    stores = [open_store(place) for _ in range(4)]

    async def count(store: Store) -> None:
        add = statement("INSERT INTO heard (name, number) VALUES ('n', 1) ON CONFLICT (name) "
                        "DO UPDATE SET number = heard.number + 1")  # fmt: skip
        for _ in range(10):
            await asyncio.gather(*(store.apply(add) for _ in range(5)))

    threads = [threading.Thread(target=lambda store=store: asyncio.run(count(store))) for store in stores]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert stores[0].run(ALL) == [("n", 200)]
    for store in stores:
        store.close()


def test_a_process_is_known_to_live_until_it_has_ended(place: Any) -> None:
    one, two = open_store(place), open_store(place)
    lives = {name: two.run(lambda tx, me=other.me: tx.lives(me)) for name, other in (("one", one), ("two", two))}
    assert lives == {"one": True, "two": True}
    ended = one.me
    one.close()
    assert not two.run(lambda tx: tx.lives(ended))
    two.close()


@pytest.mark.attack
def test_an_event_loop_goes_on_while_another_process_holds_the_database(store: Store, place: Any) -> None:
    holding, let_go = threading.Event(), threading.Event()
    other = open_store(place)

    def hold(transaction: Transaction) -> None:
        transaction.rows("UPDATE generation SET value = value + 1")
        holding.set()
        let_go.wait(30)

    holder = threading.Thread(target=lambda: other.run(hold))
    holder.start()
    holding.wait(30)

    async def go_on() -> float:
        write = asyncio.create_task(store.apply(statement("UPDATE generation SET value = value + 1")))
        longest, last = 0.0, time.monotonic()
        for _ in range(200):
            await asyncio.sleep(0.001)
            assert await store.read(statement("SELECT value FROM generation")) == [(0,)]
            longest, last = max(longest, time.monotonic() - last), time.monotonic()
        assert not write.done()
        let_go.set()
        await write
        return longest

    assert asyncio.run(go_on()) < 1.0
    holder.join()
    assert store.run(statement("SELECT value FROM generation")) == [(2,)]
    other.close()


def test_who_waits_too_long_is_refused_and_the_next_one_is_not(place: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("serving.store.sqlite_engine.BUSY_SECONDS", 0.2)
    monkeypatch.setattr("serving.store.store.DEADLINE", 0.3)
    store, other = open_store(place), open_store(place)
    holding, let_go = threading.Event(), threading.Event()

    def hold(transaction: Transaction) -> None:
        transaction.rows("UPDATE generation SET value = value + 1")
        holding.set()
        let_go.wait(30)

    holder = threading.Thread(target=lambda: other.run(hold))
    holder.start()
    holding.wait(30)
    add = statement("UPDATE generation SET value = value + 1")

    async def refused_then_done() -> None:
        with pytest.raises(StoreUnavailable):
            await store.apply(add)
        let_go.set()
        holder.join()
        await store.apply(add)

    asyncio.run(refused_then_done())
    assert store.run(statement("SELECT value FROM generation"))[0][0] >= 2
    store.close()
    other.close()


def test_what_is_durable_is_on_the_disk_and_nothing_else_waits_for_it(tmp_path: Path) -> None:
    store = open_store(tmp_path / "a.db")
    synchronous = statement("PRAGMA synchronous")
    assert store.run(synchronous) == [(2,)]  # FULL
    assert store.run(synchronous, durable=False) == [(1,)]  # NORMAL
    with pytest.raises(sqlite3.OperationalError):
        store.run(statement("SELECT nonsense"))
    assert asyncio.run(store.apply(synchronous)) == [(1,)]
    store.close()


def test_a_server_that_was_started_again_is_connected_to_again(postgres: Any) -> None:
    store = open_store(postgres.database())
    me = store.me
    store.run(statement(INSERT, "a", 1))
    postgres.stop()
    with pytest.raises(StoreUnavailable) as refused:
        store.run(ALL)
    assert "haihe@" not in str(refused.value)  # the address may hold a password
    postgres.start()
    assert store.run(ALL) == [("a", 1)]
    assert asyncio.run(store.read(ALL)) == [("a", 1)]
    other = open_store(postgres.database())
    assert store.run(lambda tx: tx.lives(me))
    store.close()
    other.close()
