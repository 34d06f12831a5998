"""The runs: one JSON line a (table, way, split) in ``var/bench/quality.jsonl``, so that a stopped benchmark goes on.

A line is known by the digest of what it depends on: the rows, the split, the settings and the version of the way.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from bench.quality import ours
from bench.quality.peers import PEERS
from bench.quality.peers import settings_of as peer_settings
from bench.quality.tables import Floats, Index, Table
from models.metrics import calibration, discrimination

RESULTS = Path("var/bench/quality.jsonl")
WAYS = (ours.NAME, *PEERS)
DRAWS, SEED, TINY = 400, 20_260_101, 1e-9


@dataclass(frozen=True, slots=True)
class Run:
    """One way on one split of one table."""

    table: Table
    way: str
    split: int
    train: Index
    test: Index

    @property
    def key(self) -> str:
        """The digest of all that the result depends on."""
        settings = ours.settings_of() if self.way == ours.NAME else peer_settings(self.way)
        text = json.dumps([self.table.name, self.split, settings, self.table.directions], sort_keys=True)
        parts = (self.table.features, self.table.labels, self.train, self.test)
        return sha256(text.encode() + b"".join(np.ascontiguousarray(part).tobytes() for part in parts)).hexdigest()


def runs(tables: Iterable[Table], ways: Iterable[str]) -> list[Run]:
    """Every run of these tables and ways, table by table."""
    return [
        Run(table, way, number, train, test)
        for table in tables
        for way in ways
        for number, (train, test) in enumerate(table.splits())
    ]


def known() -> dict[str, dict[str, Any]]:
    """The results there are, by key. A line that was cut off when a run was stopped is left out."""
    known_runs = {}
    for line in RESULTS.read_text(encoding="utf-8").splitlines() if RESULTS.is_file() else ():
        try:
            line_data = json.loads(line)
        except ValueError:
            continue
        known_runs[line_data["key"]] = line_data
    return known_runs


def perform(wanted: list[Run]) -> Iterator[tuple[Run, dict[str, Any]]]:
    """Run what is not known yet and append it; each run with its result, in order."""
    there = known()
    for run in wanted:
        if (key := run.key) not in there:
            there[key] = {"key": key} | one(run)
            RESULTS.parent.mkdir(parents=True, exist_ok=True)
            with RESULTS.open("a", encoding="utf-8") as stream:
                stream.write(json.dumps(there[key], ensure_ascii=False) + "\n")
        yield run, there[key]


def one(run: Run) -> dict[str, Any]:
    """Fit on the training rows, tell the test rows, and measure."""
    table, start = run.table, time.perf_counter()
    if run.way == ours.NAME:
        probability = ours.ours(table, run.train, run.test)
    else:
        probability = PEERS[run.way][0](table.features[run.train], table.labels[run.train], table.features[run.test])
    seconds = time.perf_counter() - start
    result = {"table": table.name, "way": run.way, "split": run.split, "seconds": round(seconds, 3)}
    result |= {"train": len(run.train), "test": len(run.test), **measure(table, run.test, probability)}
    return result


def measure(table: Table, test: Index, probability: Floats) -> dict[str, Any]:
    """``bad, auc, ks, brier, log_loss, ece`` on the test rows, and for a split by time the AUC of bootstrap draws.

    The draws are of subjects, by one seed: the difference of two ways is paired draw by draw.
    """
    y, p = table.labels[test], np.clip(probability, TINY, 1 - TINY)
    result: dict[str, Any] = {
        "bad": int(y.sum()),
        "auc": discrimination.auc(y, p),
        "ks": discrimination.ks(y, p),
        "brier": discrimination.brier(y, p),
        "log_loss": float(-np.mean(np.where(y > 0, np.log(p), np.log1p(-p)))),
        "ece": calibration.measure(y, p)["ece"],
    }
    result = {name: round(value, 6) for name, value in result.items()}
    if table.border is not None:
        result["draws"] = [round(value, 5) for value in _draws(table, test, p)]
    return result


def _draws(table: Table, test: Index, p: Floats) -> list[float]:
    _, place = np.unique(table.subjects[test], return_inverse=True)
    order = np.argsort(place, kind="stable")
    bounds = np.searchsorted(place[order], np.arange(int(place.max()) + 2))
    random, y, draws = np.random.default_rng(SEED), table.labels[test], []
    for _ in range(DRAWS):
        drawn = random.integers(0, len(bounds) - 1, len(bounds) - 1)
        rows = np.concatenate([order[bounds[subject] : bounds[subject + 1]] for subject in drawn])
        draws.append(discrimination.auc(y[rows], p[rows]))
    return draws
