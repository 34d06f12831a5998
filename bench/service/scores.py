"""What a score costs in the service's own process, without network, access and ledger."""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path

from bench.flows.demo_steps import OUT, SIZES, walk
from bench.record import record
from credit.keys import load_secret
from credit.subjects import PseudonymKey
from infra.home import Home
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


def _examples(home: Home) -> dict[str, dict[str, str]]:
    credentials: dict[str, dict[str, str]] = json.loads(Path(home.root / "city" / "city.json").read_text())["examples"]
    return credentials
