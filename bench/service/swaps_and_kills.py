"""What must not be noticed: versions and snapshots swapped under load, workers killed under load, hours of work.

SWAPS, KILLS and SOAK_MINUTES in the environment make them shorter while working on them; a figure says how long it was.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import httpx

from bench.record import record
from bench.service import load_generator
from bench.service.http_speed import DATA, _server, score_requests, world
from bench.service.service_world import BANK, PURPOSE, promote, publish, show
from bench.service.whole_city import memory
from credit.keys import KeyRing
from credit.ledger import Ledger
from credit.shelf import Shelf
from infra import stack
from serving.audit.signatures import HEADER, verify

CALLERS = 6


@dataclass(slots=True)
class LoadOutcome:
    """The outcome of calls under load: answers by id, failed calls, and answers that mixed versions or did not
    verify."""

    given: dict[str, str] = field(default_factory=dict)  # score id -> ledger entry
    failed: int = 0
    wrong: int = 0


def swap_failed_requests() -> None:
    """Swaps of version and snapshot under load; every answer is of one of the two snapshots, whole, and signed."""
    site, swaps = world(), int(os.environ.get("SWAPS", "100"))
    keys = _keys()
    versions = [_pointed(), publish(site.root, keys, seed=8)]
    ring, outcome, seen = KeyRing.load(site.root / "ring"), LoadOutcome(), [0, 0]

    def judge(answer: httpx.Response) -> None:
        if answer.status_code != 200:
            outcome.failed += 1
            return
        body = answer.json()
        pair = (body["version"], body["snapshot"]["id"])
        verify(answer.content, answer.headers[HEADER], ring)
        points = body["base_points"] + sum(reason["points"] for reason in body["reasons"])
        outcome.wrong += pair not in versions or round(points, 2) != body["points"]
        seen[versions.index(pair)] += 1

    began = time.monotonic()
    with _server("serving", HAIHE_SERVICE_WATCH_SECONDS="0.05") as (port, _), _calls(port, judge):
        for number in range(1, swaps + 1):
            version, snapshot = versions[number % 2]
            promote(site.root, version)
            show(site.root, version, snapshot)
            while httpx.get(f"http://127.0.0.1:{port}/ready").json()["models"]["bench"].get("snapshot") != snapshot:
                time.sleep(0.02)
    more = {"swaps": swaps, "answers": seen, "mixed": outcome.wrong, "seconds": round(time.monotonic() - began)}
    record("swap_failed_requests", outcome.failed + outcome.wrong, "requests", goal=0, data=DATA, more=more)


def kill_lost_entries() -> None:
    """kill -9 under load, again and again: answers that a bank got and the ledger has not."""
    site, kills, outcome, cut = world(), int(os.environ.get("KILLS", "20")), LoadOutcome(), 0
    for _ in range(kills):
        port, before = stack.free_port(), len(outcome.given)
        env = site.environment() | {"HAIHE_SERVICE_PORT": str(port)}
        with (site.root / "killed.log").open("ab") as log:
            process = subprocess.Popen([sys.executable, "-m", "serving"], env=env, stderr=log, stdout=log)
        _until_ready(port)

        def judge(answer: httpx.Response) -> None:
            outcome.failed += answer.status_code != 200
            body = answer.json()
            outcome.given[body["score_id"]] = body["receipt"]["entry"]

        with _calls(port, judge) as broken:
            end = time.monotonic() + 120
            while len(outcome.given) < before + 200:
                assert time.monotonic() < end, "no answers came"
                time.sleep(0.01)
            process.send_signal(signal.SIGKILL)
            process.wait()
        cut += broken()
    with _server("serving"):
        pass  # the next process repairs the ledger that the last one left
    ledger = Ledger(site.root / "ledger.jsonl", None, KeyRing.load(site.root / "ring"), "service")
    entries = {entry.object: entry.id for entry in ledger.verified()}
    lost = sum(entries.get(name) != entry for name, entry in outcome.given.items())
    more = {"kills": kills, "answers": len(outcome.given), "cut_off": cut, "entries": len(entries)}
    record("kill_lost_entries", lost, "entries", goal=0, data=DATA, more=more)


def soak_rss_growth_mib() -> None:
    """Growth of the process at 70 % of what it can, from a warmed-up minute on."""
    minutes = float(os.environ.get("SOAK_MINUTES", "20"))
    with _server("serving") as (port, pid):
        requests = score_requests(port)
        most = load_generator.run(port, requests, 16, 3.0).rps
        load_generator.run(port, requests, 16, min(60.0, minutes * 10), most * 0.7)
        before, failed, ends = memory(pid)["Rss"], 0, time.monotonic() + minutes * 60
        while (left := ends - time.monotonic()) > 0:
            failed += load_generator.run(port, score_requests(port), 16, min(left, 120.0), most * 0.7).failed
        growth = memory(pid)["Rss"] - before
    more = {"minutes": minutes, "rps": round(most * 0.7), "failed": failed, "rss_mib": round(before)}
    record("soak_rss_growth_mib", growth, "MiB", goal=10, data=DATA, more=more)


@contextlib.contextmanager
def _calls(port: int, judge: Callable[[httpx.Response], None]) -> Iterator[Callable[[], int]]:
    """Calls on and on from several threads; gives how many were cut off by the other side hanging up."""
    site, stop, cut, turn = world(), threading.Event(), [0], threading.Lock()
    url, form = f"http://127.0.0.1:{port}", {"grant_type": "client_credentials"}
    token = httpx.post(f"{url}/oauth2/token", data=form, auth=(BANK, site.secret)).json()["access_token"]

    def on(number: int) -> None:
        with httpx.Client(base_url=url, headers={"Authorization": f"Bearer {token}"}) as http:
            while not stop.is_set():
                code, mandate = site.score_requests[number % len(site.score_requests)]
                number += CALLERS
                try:
                    answer = http.post("/v1/scores", json={"uscc": code, "purpose": PURPOSE, "mandate": mandate})
                except httpx.HTTPError:
                    cut[0] += 1
                    return
                with turn:
                    judge(answer)

    with ThreadPoolExecutor(CALLERS) as pool:
        calling = [pool.submit(on, number) for number in range(CALLERS)]
        try:
            yield lambda: cut[0]
        finally:
            stop.set()
        for each in calling:
            each.result(60)


def _pointed() -> tuple[str, str]:
    """The version and snapshot in use at first."""
    root = world().root
    pointer = Shelf(root / "shelf", KeyRing.load(root / "ring")).pointer("snapshot-bench", {"platform"})
    assert pointer is not None
    return pointer["version"], pointer["snapshot"]


def _keys() -> list[bytes]:
    """The sorted subject keys of the world's snapshot."""
    raw = next((world().root / "shelf" / "snapshot").glob("*/subjects.bin")).read_bytes()
    return [raw[at : at + 16] for at in range(0, len(raw), 16)]


def _until_ready(port: int, seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with contextlib.suppress(httpx.HTTPError):
            if httpx.get(f"http://127.0.0.1:{port}/ready").status_code == 200:
                return
        time.sleep(0.02)
    raise TimeoutError("the service did not get ready")
