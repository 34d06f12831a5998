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
from bench.service.http_speed import DATA, _server, asks, world
from bench.service.service_world import BANK, PURPOSE, promote, publish, show
from bench.service.whole_city import memory
from credit.keys import KeyRing
from credit.ledger import Ledger
from credit.shelf import Shelf
from infra import stack
from serving.audit.signatures import HEADER, verify

CALLERS = 6


@dataclass(slots=True)
class Asked:
    """What came of calls under load: answers given by id, those that failed, and those that mixed or did not verify."""

    given: dict[str, str] = field(default_factory=dict)  # score id -> ledger entry
    failed: int = 0
    wrong: int = 0


def swap_failed_requests() -> None:
    """Swaps of version and snapshot under load; every answer is of one of the two books, whole, and signed."""
    told, swaps = world(), int(os.environ.get("SWAPS", "100"))
    keys = _keys()
    books = [_pointed(), publish(told.root, keys, seed=8)]
    ring, asked, seen = KeyRing.load(told.root / "ring"), Asked(), [0, 0]

    def judge(answer: httpx.Response) -> None:
        if answer.status_code != 200:
            asked.failed += 1
            return
        said = answer.json()
        pair = (said["version"], said["snapshot"]["id"])
        verify(answer.content, answer.headers[HEADER], ring)
        points = said["base_points"] + sum(reason["points"] for reason in said["reasons"])
        asked.wrong += pair not in books or round(points, 2) != said["points"]
        seen[books.index(pair)] += 1

    began = time.monotonic()
    with _server("serving", HAIHE_SERVICE_WATCH_SECONDS="0.05") as (port, _), _calls(port, judge):
        for number in range(1, swaps + 1):
            version, snapshot = books[number % 2]
            promote(told.root, version)
            show(told.root, version, snapshot)
            while httpx.get(f"http://127.0.0.1:{port}/ready").json()["models"]["bench"].get("snapshot") != snapshot:
                time.sleep(0.02)
    more = {"swaps": swaps, "answers": seen, "mixed": asked.wrong, "seconds": round(time.monotonic() - began)}
    record("swap_failed_requests", asked.failed + asked.wrong, "requests", goal=0, data=DATA, more=more)


def kill_lost_entries() -> None:
    """kill -9 under load, again and again: answers that a bank got and the ledger has not."""
    told, kills, asked, cut = world(), int(os.environ.get("KILLS", "20")), Asked(), 0
    for _ in range(kills):
        port, before = stack.free_port(), len(asked.given)
        env = told.environment() | {"HAIHE_SERVICE_PORT": str(port)}
        with (told.root / "killed.log").open("ab") as log:
            process = subprocess.Popen([sys.executable, "-m", "serving"], env=env, stderr=log, stdout=log)
        _until_ready(port)

        def judge(answer: httpx.Response) -> None:
            asked.failed += answer.status_code != 200
            said = answer.json()
            asked.given[said["score_id"]] = said["receipt"]["entry"]

        with _calls(port, judge) as broken:
            end = time.monotonic() + 120
            while len(asked.given) < before + 200:
                assert time.monotonic() < end, "no answers came"
                time.sleep(0.01)
            process.send_signal(signal.SIGKILL)
            process.wait()
        cut += broken()
    with _server("serving"):
        pass  # the next one mends what the last one left
    ledger = Ledger(told.root / "ledger.jsonl", None, KeyRing.load(told.root / "ring"), "service")
    entries = {entry.object: entry.id for entry in ledger.verified()}
    lost = sum(entries.get(name) != entry for name, entry in asked.given.items())
    more = {"kills": kills, "answers": len(asked.given), "cut_off": cut, "entries": len(entries)}
    record("kill_lost_entries", lost, "entries", goal=0, data=DATA, more=more)


def soak_rss_growth_mib() -> None:
    """Growth of the process at 70 % of what it can, from a warmed-up minute on."""
    minutes = float(os.environ.get("SOAK_MINUTES", "20"))
    with _server("serving") as (port, pid):
        requests = asks(port)
        most = load_generator.run(port, requests, 16, 3.0).rps
        load_generator.run(port, requests, 16, min(60.0, minutes * 10), most * 0.7)
        before, failed, ends = memory(pid)["Rss"], 0, time.monotonic() + minutes * 60
        while (left := ends - time.monotonic()) > 0:
            failed += load_generator.run(port, asks(port), 16, min(left, 120.0), most * 0.7).failed
        growth = memory(pid)["Rss"] - before
    more = {"minutes": minutes, "rps": round(most * 0.7), "failed": failed, "rss_mib": round(before)}
    record("soak_rss_growth_mib", growth, "MiB", goal=10, data=DATA, more=more)


@contextlib.contextmanager
def _calls(port: int, judge: Callable[[httpx.Response], None]) -> Iterator[Callable[[], int]]:
    """Calls on and on from several threads; gives how many were cut off by the other side hanging up."""
    told, stop, cut, turn = world(), threading.Event(), [0], threading.Lock()
    url, form = f"http://127.0.0.1:{port}", {"grant_type": "client_credentials"}
    token = httpx.post(f"{url}/oauth2/token", data=form, auth=(BANK, told.secret)).json()["access_token"]

    def on(number: int) -> None:
        with httpx.Client(base_url=url, headers={"Authorization": f"Bearer {token}"}) as http:
            while not stop.is_set():
                code, mandate = told.asks[number % len(told.asks)]
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
    told = Shelf(root / "shelf", KeyRing.load(root / "ring")).pointer("snapshot-bench", {"platform"})
    assert told is not None
    return told["version"], told["snapshot"]


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
