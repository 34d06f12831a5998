"""What a score costs: in the service's own process, and over HTTP on one connection."""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path

import httpx

from bench.flows.demo_steps import OUT, SIZES, walk
from bench.record import record
from credit.keys import load_secret
from credit.subjects import PseudonymKey
from infra import stack
from infra.demo.invented_city import CITY_DAY
from infra.home import Home
from serving.bank.client import ServiceClient
from serving.data.snapshot import open_snapshot, read_pointers
from serving.responses.compose import compose, stored_score

WARM, TIMES, RUNS = 200, 1_000, 5


def quantiles(act: Callable[[], object]) -> tuple[float, float]:
    """Median over runs of the p50 and of the p99, in seconds."""
    for _ in range(WARM):
        act()
    middles, tails = [], []
    for _ in range(RUNS):
        took = []
        for _ in range(TIMES):
            start = time.perf_counter()
            act()
            took.append(time.perf_counter() - start)
        took.sort()
        middles.append(took[len(took) // 2])
        tails.append(took[int(len(took) * 0.99)])
    return statistics.median(middles), statistics.median(tails)


def score_in_process_p50_us() -> None:
    """From a code to a whole answer, reasons and all, without network, access, mandate and ledger."""
    walk(SIZES[0])
    home = Home((OUT / f"road-{SIZES[0]}" / "home").resolve())
    snapshot = open_snapshot(home.shelf, read_pointers(home.shelf, "enterprise"))
    key = PseudonymKey("scoring", load_secret(home.keys("service") / "pseudonym-scoring.key"))
    code = _examples(home)["good_enterprise"]["code"]

    def answer() -> object:
        row = snapshot.row_of(key.key_of(code))
        assert row is not None
        until = date(2026, 12, 1)
        line = stored_score(snapshot, row)
        return compose(snapshot, line, score_id="s", mandate="m", purpose="credit_granting", valid_until=until)

    record("score_in_process_p50_us", quantiles(answer)[0] * 1e6, "us", more={"runs": RUNS, "times": TIMES})


def score_http() -> tuple[float, float]:
    """p50 and p99 of a full call: token read, mandate checked, answer durable in the ledger before it leaves."""
    walk(SIZES[0])
    home = Home((OUT / f"road-{SIZES[0]}" / "home").resolve())
    credentials = json.loads((home.root / "service" / "harbour-bank.json").read_text())
    granted = [e for e in home.ledger("platform").entries() if e.verb == "mandate.granted"]
    key = PseudonymKey("scoring", load_secret(home.keys("service") / "pseudonym-scoring.key"))
    code = _examples(home)["good_enterprise"]["code"]
    mandate = next(e.object for e in granted if e.details["subject"] == key.hex_of(code))
    with stack.scoring_service(home, env={"HAIHE_SERVICE_TODAY": CITY_DAY.isoformat()}) as url:
        http = httpx.Client(base_url=url)
        with ServiceClient(url, credentials["name"], credentials["secret"], http=http) as client:
            return quantiles(lambda: client.score(code, "credit_granting", mandate))


def score_http_p50_ms() -> None:
    """Median of a full call over HTTP, one connection."""
    record("score_http_p50_ms", score_http()[0] * 1e3, "ms", more={"runs": RUNS, "times": TIMES})


def score_http_p99_ms() -> None:
    """The slowest hundredth of full calls over HTTP, one connection."""
    record("score_http_p99_ms", score_http()[1] * 1e3, "ms", more={"runs": RUNS, "times": TIMES})


def _examples(home: Home) -> dict[str, dict[str, str]]:
    credentials: dict[str, dict[str, str]] = json.loads(Path(home.root / "city" / "city.json").read_text())["examples"]
    return credentials
