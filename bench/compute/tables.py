"""Tables over the invented city: how many requests that would single out a few firms were tried, and how many did.

Each trick on each target is a pair of requests (or a chain) for a project of its own. What was given is evaluated apart
from the gate (:mod:`bench.compute.table_attacks`).
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from datetime import date
from functools import cache
from pathlib import Path

from bench.compute.table_attacks import given_of, isolated, records_less_one, targets, tricks
from bench.flows.demo_steps import OUT, SIZES
from bench.record import record
from credit.keys import KeyRing, SigningKey
from credit.ledger import Ledger
from credit.releases import require_release
from infra.demo.cli_runner import PEOPLE
from infra.demo.invented_city import CITY_DAY
from infra.home import Home
from models.distributed.ray_cluster import in_process
from models.features.duckdb_engine import Limits
from models.order.order import SUBJECT_KINDS, built_in
from models.tables.given_units import GivenUnits
from models.tables.maker import TableMaker
from models.tables.policy import load_table_policy

DAY, RECORD_DAY, TARGETS = date(2026, 10, 1), date(2026, 1, 1), 24
LEAST = 500  # attacks


@cache
def city() -> Home:
    """A home with a research release of the invented city of 20,000, made by the commands where there is none."""
    walked = Home((OUT / f"road-{SIZES[0]}" / "home").resolve())
    if (walked.root / "shelf").is_dir():
        return walked
    folder = (OUT / f"tables-{SIZES[0]}").resolve()
    home, raw = Home(folder / "home"), folder / "raw"
    if not (home.root / "shelf" / "release").is_dir():
        env = {**os.environ, "HAIHE_HOME": str(home.root), "HAIHE_TODAY": CITY_DAY.isoformat()}
        drawn = ["city", "--subjects", str(SIZES[0]), "--seed", "7", "--out", str(raw)]
        for words in (["keys"], *([] if raw.is_dir() else [drawn]), ["intake", str(raw)], ["release", "research"]):
            by = ["--by", PEOPLE[words[0]]] if words[0] in PEOPLE else []
            command = [sys.executable, "-m", "infra.haihe", *words, *by]
            subprocess.run(command, env=env, check=True, stdout=subprocess.DEVNULL)
    return home


@cache
def attacked() -> tuple[dict[str, int], dict[str, int], float]:
    """Attacks tried and combinations that isolated a few firms, by trick; and the median seconds of an attack."""
    release = require_release(city().shelf, "research")
    tried: dict[str, int] = {}
    isolating: dict[str, int] = {}
    seconds: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        key = SigningKey.create(root, "compute")
        ledger = Ledger(root / "compute.jsonl", key, KeyRing.of(key), "compute")
        orders = {kind: built_in(kind) for kind in SUBJECT_KINDS}
        given, policy = GivenUnits(root / "tables", ledger), load_table_policy()
        maker = TableMaker(city().shelf, key, ledger, given, policy, orders, in_process(), Limits())
        for target in targets(maker, release, DAY, TARGETS):
            for attack in (*tricks(target), records_less_one(target, RECORD_DAY)):
                start = time.perf_counter()
                number = isolated(given_of(maker, release, attack, DAY), policy.units_at_least)
                seconds.append(time.perf_counter() - start)
                tried[attack.trick] = tried.get(attack.trick, 0) + 1
                isolating[attack.trick] = isolating.get(attack.trick, 0) + number
    return tried, isolating, sorted(seconds)[len(seconds) // 2]


def table_isolations_tried() -> None:
    """Requests that would single out a few firms by one of the tricks."""
    tried, _, seconds = attacked()
    more = {"tricks": len(tried), "seconds_of_one": round(seconds, 3)}
    record("table_isolations_tried", sum(tried.values()), "attacks", goal=LEAST, more=more)


def table_isolated() -> None:
    """Combinations of what was given that have fewer than k firms."""
    _, isolating, _ = attacked()
    record(
        "table_isolated",
        sum(isolating.values()),
        "combinations",
        goal=0,
        more={k: v for k, v in isolating.items() if v},
    )
