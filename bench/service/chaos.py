"""Twenty minutes at 70 % load while versions are swapped, workers killed, the disk is full or slow, the clock jumps.

HAIHE_CHAOS_SECONDS makes it shorter while working on it; the figures say how long it was. Clients do as the guide says:
they send an idempotency key, take a new token after 401, and try again after 503 or when the connection breaks.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from itertools import cycle
from typing import Any

import httpx

from bench.record import record
from bench.service import load_generator
from bench.service.disturbances import Disturbances, kill_worker, tree_rss_mib
from bench.service.http_speed import DATA, _server, score_requests, world
from bench.service.service_world import BANK, PURPOSE, ROOT, promote, publish, show
from bench.service.swaps_and_kills import _keys, _pointed
from credit.keys import KeyRing
from credit.ledger import Ledger

CALLERS, DEADLINE, QUIET, TRIES = 4, 30.0, 5.0, 40
ANSWERED, UNDELIVERED = "score.answered", "answer.undelivered"


@dataclass(slots=True)
class Seen:
    """What the callers saw: entry by score id, calls given up, calls that got no answer, broken connections."""

    entries: dict[str, str] = field(default_factory=dict)
    failed: int = 0
    hung: int = 0
    broken: int = 0
    refused: dict[int, int] = field(default_factory=dict)
    phase: str = "quiet"
    hung_in: list[str] = field(default_factory=list)
    loads_failed: int = 0


@dataclass(frozen=True, slots=True)
class Outcome:
    """The figures of one run."""

    seen: Seen
    lost: int
    unanswered: int
    growth: float
    more: dict[str, Any]


def chaos_failed() -> None:
    """Calls that a careful client could not get answered."""
    _record("chaos_failed", lambda run: run.seen.failed, "requests", 0)


def chaos_entries_lost() -> None:
    """Answers that a client has and the ledger has not."""
    _record("chaos_entries_lost", lambda run: run.lost, "entries", 0)


def chaos_entries_unanswered() -> None:
    """Entries of answers that no client got, nor a broken connection explains."""
    _record("chaos_entries_unanswered", lambda run: run.unanswered, "entries", 0)


def chaos_rss_growth_mib() -> None:
    """How much more memory all processes take at the end than after the first part."""
    _record("chaos_rss_growth_mib", lambda run: run.growth, "MiB", 50)


def hung_after_full_disk() -> None:
    """Calls that got no answer within their deadline while the disk was full or afterwards."""
    _record("hung_after_full_disk", lambda run: run.seen.hung, "requests", 0)


def _record(figure: str, value: Callable[[Outcome], float], unit: str, goal: float) -> None:
    run = _run()
    record(figure, value(run), unit, goal=goal, data=DATA, more=run.more)


@cache
def _run() -> Outcome:
    """One run, from which every figure is read."""
    seconds, site, seen, stop = float(os.environ.get("HAIHE_CHAOS_SECONDS", "1200")), world(), Seen(), threading.Event()
    means = Disturbances((ROOT / "chaos").resolve())
    versions = cycle([publish(site.root, _keys(), seed=8), _pointed()])
    rounds = 0
    with means.disk() as disk:
        more = {**means.environment, "HAIHE_SERVICE_LEDGER": str(disk / "ledger.jsonl"),
                "HAIHE_SERVICE_WORKERS": "2", "HAIHE_SERVICE_WATCH_SECONDS": "0.2"}  # fmt: skip
        with _server("serving", ready=True, cores=1, **more) as (port, pid):
            most = load_generator.run(port, score_requests(port)[: len(site.score_requests) // 2], 8, 3.0).rps
            threads = [threading.Thread(target=_call, args=(port, number, seen, stop)) for number in range(CALLERS)]
            threads.append(threading.Thread(target=_load, args=(port, most * 0.7, seen, stop)))
            for thread in threads:
                thread.start()
            end, part = time.monotonic() + seconds, min(seconds / 12, 20.0)
            stop.wait(part)
            before = tree_rss_mib(pid)
            while time.monotonic() < end:
                _disturb(means, seen, next(versions), pid, rounds, part)
                rounds += 1
            stop.wait(QUIET)
            growth = tree_rss_mib(pid) - before
            stop.set()
            for thread in threads:
                thread.join(DEADLINE + 60)
        answered, undelivered = _entries(disk)
    lost = sum(answered.get(name, ("", ""))[0] != entry for name, entry in seen.entries.items())
    halves = {mandate for _, mandate in site.score_requests[len(site.score_requests) // 2 :]}
    without = [name for name, (_, mandate) in answered.items() if mandate in halves and name not in seen.entries]
    unexplained = max(0, len([name for name in without if name not in undelivered]) - seen.broken - seen.failed)
    figures = {
        "seconds": seconds, "rounds": rounds, "answers": len(seen.entries), "entries": len(answered),
        "broken_connections": seen.broken, "refused": {str(s): n for s, n in sorted(seen.refused.items())},
        "load_rps": round(most * 0.7), "left_out": means.lacking, "hung_in": seen.hung_in,
    }  # fmt: skip
    return Outcome(seen, lost, unexplained, growth, figures)


def _disturb(means: Disturbances, seen: Seen, version: tuple[str, str], pid: int, number: int, part: float) -> None:
    """One of each, with quiet between them."""
    root = world().root
    promote(root, version[0])
    show(root, *version)
    time.sleep(part / 4)
    seen.phase = "worker killed"
    kill_worker(pid, number)
    time.sleep(part / 4)
    if "full disk" not in means.lacking:
        seen.phase = "full disk"
        with means.full_disk():
            time.sleep(min(part / 4, 5))
        seen.phase = "after full disk"
    time.sleep(part / 4)
    if "slow disk" not in means.lacking:
        seen.phase = "slow disk"
        with means.slow_disk():
            time.sleep(part / 4)
    if "clock" not in means.lacking:
        seen.phase = "clock"
        for jump in (3600, -3600):
            with means.clock(jump):
                time.sleep(part / 8 + 1)


def _call(port: int, number: int, seen: Seen, stop: threading.Event) -> None:
    """One careful client, until it is stopped."""
    pairs = world().score_requests[len(world().score_requests) // 2 :]
    turn = 0
    while not stop.is_set():
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=DEADLINE) as http:
            while not stop.is_set():
                code, mandate = pairs[(number + turn * CALLERS) % len(pairs)]
                turn += 1
                body = {"uscc": code, "purpose": PURPOSE, "mandate": mandate}
                if not _answered(http, body, f"chaos-{number}-{turn}-{time.time_ns()}", seen):
                    break


def _answered(http: httpx.Client, body: dict[str, str], key: str, seen: Seen) -> bool:
    """Send one call until it is answered; False when the client should connect again."""
    for _ in range(TRIES):
        try:
            if "authorization" not in http.headers:
                form = {"grant_type": "client_credentials"}
                given = http.post("/oauth2/token", data=form, auth=(BANK, world().secret))
                if given.status_code != 200:
                    seen.refused[given.status_code] = seen.refused.get(given.status_code, 0) + 1
                    time.sleep(0.5)
                    continue
                http.headers["authorization"] = f"Bearer {given.json()['access_token']}"
            answer = http.post("/v1/scores", json=body, headers={"Idempotency-Key": key})
        except httpx.TimeoutException:
            seen.hung += 1
            seen.hung_in.append(seen.phase)
            return False
        except httpx.HTTPError:
            seen.broken += 1
            time.sleep(0.1)
            continue
        if answer.status_code == 200:
            document = answer.json()
            seen.entries[document["score_id"]] = document["receipt"]["entry"]
            return True
        seen.refused[answer.status_code] = seen.refused.get(answer.status_code, 0) + 1
        if answer.status_code == 401:
            del http.headers["authorization"]
        elif answer.status_code != 503:
            break
        time.sleep(0.5)
    seen.failed += 1
    return True


def _load(port: int, rate: float, seen: Seen, stop: threading.Event) -> None:
    """The load beside the careful clients; what breaks it off is what happens to the service."""
    while not stop.is_set():
        try:
            requests = score_requests(port)[: len(world().score_requests) // 2]
            seen.loads_failed += load_generator.run(port, requests, 8, 5.0, rate).failed
        except (RuntimeError, httpx.HTTPError, KeyError, ValueError):
            stop.wait(0.5)


def _entries(disk: Any) -> tuple[dict[str, tuple[str, str]], set[str]]:
    """The answers in the ledger by score id, with entry and mandate, and those that are said to be undelivered."""
    ledger = Ledger(disk / "ledger.jsonl", None, KeyRing.load(ROOT / "ring"), "service")
    answered: dict[str, tuple[str, str]] = {}
    undelivered = set()
    for entry in ledger.verified():
        if entry.verb == ANSWERED:
            answered[entry.object] = (entry.id, str(entry.details["mandate"]))
        elif entry.verb == UNDELIVERED:
            undelivered.add(entry.object)
    return answered, undelivered
