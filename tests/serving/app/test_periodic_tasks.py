"""What the service does at intervals goes on after a store that was away for a moment."""

from __future__ import annotations

import asyncio

import pytest

from serving.app import lifespan
from serving.store.transaction import StoreUnavailable


@pytest.mark.attack
def test_a_task_that_failed_runs_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lifespan, "AGAIN_SECONDS", 0.0)
    runs = list[int]()

    async def prune() -> None:
        runs.append(len(runs))
        if len(runs) < 3:
            raise StoreUnavailable("store.not-available")
        await asyncio.Event().wait()

    async def watch() -> None:
        task = asyncio.create_task(lifespan.keep_running(prune))
        await asyncio.sleep(0.1)
        assert not task.done()
        task.cancel()

    asyncio.run(watch())
    assert runs == [0, 1, 2]
