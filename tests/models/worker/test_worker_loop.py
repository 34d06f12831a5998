"""Each training request in the research ledger is run once, reports its progress, and stops when it is cancelled."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from credit.actor import Actor, Role
from credit.errors import Malformed
from infra import stack
from lab.order_placement import place_order
from models.distributed.ray_cluster import Tasks, in_process
from models.order.order import Order
from models.settings import ComputeSettings
from models.worker.worker_loop import Worker, single_worker_lock
from tests.lab import running_gateway
from tests.models import invented_release

pytestmark = pytest.mark.servers
ALICE = Actor("alice", Role.RESEARCHER)


@pytest.fixture
def house() -> Iterator[running_gateway.House]:
    with running_gateway.house(subjects=900) as made:
        yield made


def env(house: running_gateway.House, mlflow: str, **more: str) -> dict[str, str]:
    variables = house.home.environment("compute") | {"HAIHE_COMPUTE_MLFLOW_URI": mlflow}
    return variables | {"HAIHE_COMPUTE_TODAY": running_gateway.TODAY.isoformat(), "HAIHE_COMPUTE_POLL": "0.05"} | more


def worker(house: running_gateway.House, mlflow: str, **more: str) -> Worker:
    return Worker.open(house.home.settings(ComputeSettings, "compute", env(house, mlflow, **more)))


def request_training(house: running_gateway.House, **changes: Any) -> str:
    order = Order.parse(invented_release.declaration(**changes))
    seal = place_order(
        order, release=house.release, shelf=house.home.shelf, key=house.home.key("research"), by=ALICE,
        ledger=house.ledger, today=running_gateway.TODAY,
    )  # fmt: skip
    details = {"project": "loans", "release": house.release.seal.id, "model": order.model}
    house.ledger.append("training.asked", seal.id, by=ALICE, details=details)
    return seal.id


def state_of(house: running_gateway.House, order: str) -> dict[str, Any]:
    with contextlib.suppress(FileNotFoundError):
        state: dict[str, Any] = json.loads((house.home.root / "runs" / f"{order}.json").read_bytes())
        return state
    return {}


def until(holds: Callable[[], bool], seconds: float) -> None:
    limit = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < limit, "it did not come"
        time.sleep(0.02)


def serve(at_work: Worker, tasks: Tasks, ends: Callable[[], bool], seconds: float = 300) -> None:
    thread = threading.Thread(target=at_work.serve, args=(tasks,))
    thread.start()
    try:
        until(ends, seconds)
    finally:
        at_work.end.set()
        thread.join(30)
    assert not thread.is_alive()


def test_a_requested_order_becomes_a_version_of_its_researcher(
    house: running_gateway.House, mlflow_server: str
) -> None:
    first, second = request_training(house), request_training(house, training={"trials": 1, "seed": 8})
    at_work = worker(house, mlflow_server)
    serve(at_work, in_process(), lambda: state_of(house, second).get("state") == "done")
    for order in (first, second):
        version = house.home.shelf.open(state_of(house, order)["version"])
        assert version.seal.parents == (order,)
        assert version.seal.made_by == ALICE
    assert at_work.waiting() == []
    house.ledger.append("training.asked", first, by=ALICE, details={"project": "fines"})
    assert at_work.waiting() == [], "it is made already, whichever project requests it"


def test_a_cancel_stops_it_between_two_steps(house: running_gateway.House, mlflow_server: str) -> None:
    order, kept = request_training(house, training={"trials": 50}), request_training(house, training={"trials": 1})
    at_work = worker(house, mlflow_server)

    def ends() -> bool:
        if state_of(house, order).get("state") == "running" and state_of(house, order)["done"] >= 2:
            house.ledger.append("training.cancelled", order, by=ALICE, details={"project": "loans"})
        return bool(state_of(house, kept).get("state") == "done")

    serve(at_work, in_process(), ends)
    assert state_of(house, order)["state"] == "cancelled"
    versions = [
        entry.details["order"] for entry in house.home.ledger("compute").entries() if entry.verb == "version.made"
    ]
    assert versions == [kept]


@pytest.mark.parametrize(
    ("changes", "more", "why"),
    [
        (
            {"label": {"table": "loan_performance", "when": "overdue_days >= 9999", "window_months": 6}},
            {},
            "one outcome",
        ),
        ({}, {"HAIHE_COMPUTE_TODAY": date(2027, 1, 1).isoformat()}, "has lapsed"),
    ],
)
def test_what_cannot_be_trained_fails_in_words_and_is_tried_again_on_request(
    house: running_gateway.House, mlflow_server: str, changes: dict[str, Any], more: dict[str, str], why: str
) -> None:
    order = request_training(house, **changes)
    at_work = worker(house, mlflow_server, **more)
    serve(at_work, in_process(), lambda: state_of(house, order).get("state") == "failed")
    error = state_of(house, order)["error"]
    assert why in f"{error['what']} {error['why']}"
    failed = house.home.ledger("compute").about(order)[-1]
    assert failed.verb == "training.failed"
    assert why in failed.details["why"]
    assert at_work.waiting() == []
    request_training(house, **changes)
    assert [each.order for each in at_work.waiting()] == [order]


def test_while_mlflow_is_away_orders_wait(house: running_gateway.House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    request_training(house)
    at_work = worker(house, "http://127.0.0.1:9")
    timer = threading.Timer(0.5, at_work.end.set)
    timer.start()
    at_work.serve(in_process())
    timer.join()
    assert len(at_work.waiting()) == 1
    assert not any(entry.verb == "training.failed" for entry in house.home.ledger("compute").entries())


def test_there_is_one_worker(house: running_gateway.House, mlflow_server: str) -> None:
    at_work = worker(house, mlflow_server)
    with (
        single_worker_lock(at_work.runs),
        pytest.raises(Malformed, match="Another worker"),
        single_worker_lock(at_work.runs),
    ):
        pass
    settings = replace(house.home.settings(ComputeSettings, "compute", {}), research_ledger=None)
    with pytest.raises(Malformed, match="RESEARCH_LEDGER is missing"):
        Worker.open(settings)


def test_killed_in_the_middle_and_started_again_it_comes_to_the_same_version(
    house: running_gateway.House, mlflow_server: str
) -> None:
    order = request_training(house, training={"trials": 6})
    log = house.home.root / "worker.log"
    with process(house, mlflow_server, log) as first:
        until(lambda: state_of(house, order).get("label") == "search" and state_of(house, order)["done"] >= 1, 90)
        os.kill(first.pid, signal.SIGKILL)
        first.wait()
    assert state_of(house, order)["state"] == "running", "a killed worker cannot say so"
    with process(house, mlflow_server, log) as second:
        until(lambda: state_of(house, order).get("state") == "done", 120)
        second.send_signal(signal.SIGTERM)
        assert second.wait(30) == 0, log.read_text()[-2000:]
    version = state_of(house, order)["version"]
    with running_gateway.house(subjects=900) as other:
        other_order = request_training(other, training={"trials": 6})
        serve(worker(other, mlflow_server), in_process(), lambda: state_of(other, other_order).get("state") == "done")
        assert (other_order, state_of(other, other_order)["version"]) == (order, version)


@contextlib.contextmanager
def process(house: running_gateway.House, mlflow: str, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("ab") as stream:
        command = [sys.executable, "-m", "models.worker"]
        started = subprocess.Popen(
            command, env={**os.environ, **env(house, mlflow)}, stderr=stream, start_new_session=True
        )
    try:
        yield started
    finally:
        stack.stop(started)
