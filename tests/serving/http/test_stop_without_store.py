"""A stop of all answers is followed also while the store is away: only a start has to ask it."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Mapping
from typing import Any

import pytest
from serving_world import World

from serving.state.answer_switch import AnswerSwitch, set_switch
from serving.store.sqlite_engine import SqliteEngine
from serving.store.store import Store
from serving.store.transaction import StoreUnavailable


def switch(world: Any, *, stop: bool, request: str) -> None:
    set_switch(world.shelf, world.key("platform"), stop=stop, reason="maintenance", request=request)


@pytest.mark.attack
def test_a_stop_is_followed_while_another_process_has_locked_the_store(world: World) -> None:
    path = world.root / "access.db"
    store = Store(SqliteEngine(path, busy_seconds=0.05))
    follower = AnswerSwitch(world.shelf, store)
    follower.refresh()
    assert follower.fault is None
    lock = sqlite3.connect(path, isolation_level=None)
    lock.execute("BEGIN IMMEDIATE")
    switch(world, stop=True, request="request-1")
    follower.refresh()
    assert follower.fault is not None
    assert "maintenance" in str(follower.fault)
    lock.execute("ROLLBACK")
    assert (follower.refresh() or {})["request"] == "request-1"  # remembered and announced, once the store is there
    assert follower.refresh() is None
    lock.execute("BEGIN IMMEDIATE")
    switch(world, stop=False, request="request-2")
    follower.refresh()
    assert follower.fault is not None  # whether this start is the newest act is not known yet
    lock.execute("ROLLBACK")
    follower.refresh()
    assert follower.fault is None
    lock.close()
    store.close()


@pytest.mark.attack
def test_a_stop_is_followed_after_one_that_could_not_be_announced(world: World) -> None:
    store = Store(SqliteEngine(world.root / "access.db"))
    follower, announced = AnswerSwitch(world.shelf, store), list[str]()
    follower.refresh()

    async def announce(pointer: Mapping[str, Any]) -> None:
        if not announced:
            announced.append("not")
            raise StoreUnavailable("store.not-available")
        announced.append(pointer["request"])

    async def watch() -> None:
        watching = asyncio.create_task(follower.watch(announce))
        for number, stop in enumerate((True, False, True)):
            await asyncio.to_thread(switch, world, stop=stop, request=f"request-{number}")
            await asyncio.sleep(1)
            assert (follower.fault is not None) == stop
        watching.cancel()

    asyncio.run(watch())
    assert announced == ["not", "request-0", "request-1", "request-2"]
    store.close()
