"""Promotions and roll backs while the service answers, at several workers; and an alias that a hand moves in MLflow.

CHANGES in the environment makes it shorter while working on it; a figure says how many there were.
"""

from __future__ import annotations

import os
import statistics
import tempfile
import threading
import time
from pathlib import Path

import httpx

from bench.record import record
from bench.service.http_speed import DATA, _server, world
from bench.service.service_world import promote, publish, show
from bench.service.swaps_and_kills import LoadOutcome, _calls, _keys, _pointed
from credit.keys import KeyRing, SigningKey
from credit.ledger import Ledger
from credit.shelf import Shelf
from infra import stack
from infra.agents.champion_aliases import PAUSE, AliasWatch
from infra.home import Home
from models.registry.mlflow_registry import Registry
from serving.audit.signatures import HEADER, verify

WORKERS = 2  # this machine has two cores
SURE = 24  # connections in a row, each new, whose worker has the new version: one in 8 million misses one of two
ONE, TWO = "version-" + "1" * 64, "version-" + "2" * 64


def rollback_seconds() -> None:
    """From the platform's pointers to the last answer of the version before, at every worker: the longest of all."""
    _changes()


def promotion_failed_requests() -> None:
    """Requests under load that failed, or mixed two versions, during a hundred promotions and roll backs."""
    if not _done:
        _changes()


_done: list[int] = []


def _changes() -> None:
    site, changes = world(), int(os.environ.get("CHANGES", "100"))
    versions = [_pointed(), publish(site.root, _keys(), seed=8)]
    ring, outcome, last, count = KeyRing.load(site.root / "ring"), LoadOutcome(), [0.0, 0.0], [0, 0]

    def judge(answer: httpx.Response) -> None:
        if answer.status_code != 200:
            outcome.failed += 1
            return
        body = answer.json()
        pair = (body["version"], body["snapshot"]["id"])
        verify(answer.content, answer.headers[HEADER], ring)
        points = body["base_points"] + sum(reason["points"] for reason in body["reasons"])
        if pair not in versions or round(points, 2) != body["points"]:
            outcome.wrong += 1
            return
        last[versions.index(pair)] = time.monotonic()
        count[versions.index(pair)] += 1

    seconds = []
    with (
        _server("serving", cores=WORKERS, HAIHE_SERVICE_WORKERS=str(WORKERS)) as (port, _),
        _calls(port, judge) as cut,
    ):
        for number in range(1, changes + 1):
            new, old = number % 2, (number + 1) % 2
            began = time.monotonic()
            promote(site.root, versions[new][0])
            show(site.root, *versions[new])
            late = _last_with(port, versions[old][1])
            seconds.append(max(last[old] - began, late - began, 0.0))
        cut_off = cut()
    _done.append(changes)
    more = {"changes": changes, "workers": WORKERS, "answers": count, "mixed": outcome.wrong, "cut_off": cut_off}
    middle = {"median": round(statistics.median(seconds), 3)}
    record("rollback_seconds", max(seconds), "s", goal=2, data=DATA, more=more | middle)
    failed = outcome.failed + outcome.wrong + cut_off
    record("promotion_failed_requests", failed, "requests", goal=0, data=DATA, more=more)


def _last_with(port: int, snapshot: str) -> float:
    """When a worker last said that it has this snapshot; looks until none has."""
    last, in_a_row, begin = 0.0, 0, time.monotonic()
    with httpx.Client(limits=httpx.Limits(max_keepalive_connections=0)) as http:  # each request on its own connection
        while in_a_row < SURE:
            ready = http.get(f"http://127.0.0.1:{port}/ready").json()
            had = ready["models"]["bench"].get("snapshot") == snapshot
            last, in_a_row = (time.monotonic(), 0) if had else (last, in_a_row + 1)
            assert time.monotonic() - begin < 60, "a worker answers from the version before"
    return last


def alias_undone_seconds() -> None:
    """From an alias that is moved through MLflow's API to MLflow naming the signed version again: the longest of 5."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        key = SigningKey.create(place / "keys", "platform")
        ring = KeyRing.of(key)
        shelf, ledger = Shelf(place / "shelf", ring), Ledger(place / "platform.jsonl", key, ring, "platform")
        shelf.set_pointer("champion-watched", {"model": "watched", "version": ONE}, key)
        with stack.mlflow_server(Home(place / "home")) as uri:
            registry = Registry(uri)
            for version in (ONE, TWO):
                run = registry.log_run("watched", params={}, metrics={}, tags={"seal": version})
                registry.register("watched", version, run)
            registry.set_champion("watched", ONE)
            seconds = _moves(AliasWatch(shelf, ledger, lambda: Registry(uri), uri), registry)
    data = "a real MLflow server with one model of two versions"
    record("alias_undone_seconds", max(seconds), "s", goal=60, data=data, more={"pause": PAUSE, "moves": len(seconds)})


def _moves(watch: AliasWatch, registry: Registry) -> list[float]:
    end, seconds = threading.Event(), []
    watching = threading.Thread(target=watch, args=(end,))
    watching.start()
    try:
        for number in range(5):
            time.sleep(number * PAUSE / 5)  # at another moment between two looks each time
            registry.set_champion("watched", TWO)
            began = time.monotonic()
            while registry.champions().get("watched") != ONE:
                assert time.monotonic() - began < 120, "the alias was not set back"
                time.sleep(0.1)
            seconds.append(time.monotonic() - began)
    finally:
        end.set()
        watching.join()
    return seconds
