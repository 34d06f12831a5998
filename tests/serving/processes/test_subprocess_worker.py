"""However a worker process ends, its caller gets the result or an error in time and the next task is done."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from serving.errors import Overloaded
from serving.processes.subprocess_worker import SubprocessWorker, WorkerDied
from serving.processes.worker_loop import InvalidTask

WORK = """
import os, sys, time
from serving.processes.worker_loop import InvalidTask, limit_resources, serve_tasks

def work(task):
    if task == b"sleep": time.sleep(60)
    if task == b"spin":
        while True: pass
    if task == b"eat": return bytes(1 << 30)
    if task == b"write": open(sys.argv[0] + ".out", "wb", buffering=0).write(b"x")
    if task == b"die": os.kill(os.getpid(), 9)
    if task == b"invalid": raise InvalidTask("why")
    if task == b"large": return bytes(2 << 20)
    if task == b"who": return f"{os.getpid()} {os.nice(0)} {sorted(k for k in os.environ if 'HAIHE' in k)}".encode()
    if task == b"slow": time.sleep(0.3)
    return task[::-1]

limit_resources(256 << 20, 1)
sys.exit(serve_tasks(work))
"""


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    (tmp_path / "work_of_a_test.py").write_text(WORK)
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}:{Path(__file__).parents[3]}")
    monkeypatch.setenv("HAIHE_SERVICE_KEYS", "a place of keys")
    return "work_of_a_test"


@pytest.fixture
def worker(module: str) -> Iterator[SubprocessWorker]:
    made = SubprocessWorker(module, seconds=5, most=1 << 20, waiting=3)
    yield made
    made.close()


def test_a_task_is_answered_by_the_same_process_again_which_yields_and_has_none_of_our_settings(
    worker: SubprocessWorker,
) -> None:
    first, second = (asyncio.run(worker.run(b"who")).decode() for _ in range(2))
    assert first == second
    assert first.split(" ", 1)[1] == f"{min(19, os.nice(0) + 10)} []"
    assert asyncio.run(worker.run(b"abc" * 300_000)) == b"cba" * 300_000


@pytest.mark.attack
@pytest.mark.parametrize("task", [b"spin", b"eat", b"write", b"die", b"large"])
def test_one_that_falls_takes_nothing_with_it(worker: SubprocessWorker, task: bytes) -> None:
    with pytest.raises(WorkerDied):
        asyncio.run(worker.run(task))
    assert asyncio.run(worker.run(b"abc")) == b"cba"
    with pytest.raises(InvalidTask, match="why"):
        asyncio.run(worker.run(b"invalid"))


@pytest.mark.attack
def test_one_that_dawdles_is_ended(module: str) -> None:
    worker, began = SubprocessWorker(module, seconds=1, most=100, fresh=True), time.monotonic()
    with pytest.raises(WorkerDied):
        asyncio.run(worker.run(b"sleep"))
    assert time.monotonic() - began < 30
    worker.close()


def test_a_fresh_process_is_another_each_time_and_too_many_tasks_are_refused(module: str) -> None:
    worker = SubprocessWorker(module, seconds=20, most=1000, waiting=2, fresh=True)

    async def many() -> list[object]:
        return await asyncio.gather(*(worker.run(b"who") for _ in range(4)), return_exceptions=True)

    results = asyncio.run(many())
    assert [type(one) for one in results] == [bytes, bytes, Overloaded, Overloaded]
    assert results[0] != results[1]
    worker.close()
