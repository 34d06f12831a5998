"""Rows of the invented city: what an attacker finds in them, what a model loses by them, how long they take.

The attacks are those of the gate, on the built-in columns of each kind of subject with their label, on one day. The
loss is of the built-in columns, rows against exact, in the same split: the median of five pairs of models, each pair
with a seed of its own. ``rows_frontier`` prints it at other sizes of group, and for MDAV. Each figure is of the
smaller city; with the ending ``_200k``, of the larger one.
"""

from __future__ import annotations

import resource
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from bench.flows.demo_steps import OUT, SIZES, walk
from bench.record import INVENTED, record
from credit.actor import Actor
from credit.keys import KeyRing
from credit.ledger import Ledger
from credit.releases import require_release
from credit.shelf import Shelf
from credit.versions import champion_of
from infra.home import Home
from models.boosting.booster import train_booster
from models.boosting.recipe import Recipe
from models.distributed.ray_cluster import in_process
from models.features.duckdb_engine import Limits
from models.features.observations import usable_days
from models.metrics.discrimination import auc
from models.order.order import load_declaration
from models.rows.make import make_rows
from models.rows.maker import RowsMaker
from models.rows.partition.mdav import mdav
from models.rows.partition.mondrian import mondrian
from models.rows.partition.stored import PartitionStore
from models.rows.partition.weights import split_gains
from models.rows.partitions_of_days import Partitioner
from models.rows.policy import load_policy
from models.rows.request import RowsRequest
from models.rows.shown import ShownRows

KINDS = ("enterprise", "individual_business")
DAY, TODAY, PAIRS = date(2026, 4, 1), date(2026, 11, 1), 5
BY = Actor.parse("researcher:alice")
DECLARED = Path("models/declarations")


@cache
def home(subjects: int = SIZES[0]) -> Home:
    """The home of the walk through the city of so many subjects."""
    walk(subjects)
    return Home((OUT / f"road-{subjects}" / "home").resolve())


def gains_of(city: Home, kind: str) -> dict[str, float]:
    """The gains of the champion of a kind in a home."""
    champion = champion_of(city.shelf, kind)
    if not champion:
        return {}
    return split_gains((city.shelf.open(champion).path / "model.txt").read_text(encoding="utf-8"))


def maker(city: Home, folder: Path, **changes: Any) -> RowsMaker:
    """Compute of ``city`` as it makes rows, with partitions and a ledger of its own in ``folder``."""
    ring = KeyRing(city.ring.keys)
    ledger = Ledger(folder / "compute.jsonl", city.key("compute"), ring, "compute")
    orders = {kind: load_declaration(DECLARED / f"{kind}.yaml") for kind in KINDS}
    policy = replace(load_policy(), **changes)
    gains = {kind: gains_of(city, kind) for kind in KINDS}
    return RowsMaker(
        Shelf(city.shelf.root, ring),
        city.key("compute"),
        ledger,
        PartitionStore(folder / "partitions", ledger),
        policy,
        orders,
        gains,
        in_process(),
        Limits(),
    )


@cache
def attacked(kind: str, subjects: int = SIZES[0]) -> tuple[dict[str, dict[str, float]], float, int]:
    """The figures by attacker of one release, its seconds with a new partition, and its rows."""
    with tempfile.TemporaryDirectory() as folder:
        city = home(subjects)
        compute = maker(city, Path(folder))
        request = RowsRequest(kind, compute.orders[kind].sql, (DAY,), label="defaulted")
        release = require_release(city.shelf, "research")
        start = time.perf_counter()
        seal = make_rows(compute, request, release, project="bench", by=BY, today=TODAY, progress=_silent)
        seconds = time.perf_counter() - start
    evidence: dict[str, dict[str, float]] = {}
    for finding in seal.terms["verdict"]["findings"]:
        evidence |= {name: each for name, each in finding["evidence"].items() if isinstance(each, dict)}
    return evidence, seconds, int(seal.terms["rows"])


def shown_sample(
    kind: str, partitioner: Partitioner = mondrian, *, subjects: int = SIZES[0], **changes: Any
) -> ShownRows:
    """The rows of every day of the built-in order, with their labels."""
    with tempfile.TemporaryDirectory() as folder:
        city = home(subjects)
        compute = replace(maker(city, Path(folder), **changes), partitioner=partitioner)
        order, release = compute.orders[kind], require_release(city.shelf, "research")
        days = usable_days(order, date.fromisoformat(release.seal.terms["as_of"]))
        prepared = compute.prepare(RowsRequest(kind, order.sql, days, label="defaulted"), release)
        return compute.shown(prepared, BY, _silent)[0]


def auc_loss(kind: str, shown: ShownRows) -> tuple[float, dict[str, float]]:
    """The AUC lost by rows, trained and judged on rows, against exact; and the two AUC, and KS lost."""
    order = load_declaration(DECLARED / f"{kind}.yaml")
    names, directions = order.names, [feature.direction for feature in order.features]
    labelled = ~np.isnan(shown.exact.labels)
    late = shown.exact.days >= np.datetime64(order.split.out_of_time_from, "D")
    labels = np.nan_to_num(shown.exact.labels).astype(np.int8)
    exact = np.stack([shown.exact.columns[name] for name in names], axis=1)
    rows = np.stack([np.asarray(shown.columns[name], dtype=np.float64) for name in names], axis=1)
    pairs: list[tuple[float, float, float]] = []
    for seed in range(PAIRS):
        recipe = Recipe(8, 0.05, 200, 80, seed, l2=10.0, feature_share=0.5, row_share=0.8)
        scores = []
        for values in (exact, rows):
            booster = train_booster(values[labelled & ~late], labels[labelled & ~late], names, directions, recipe)
            margins = booster.predict(values[labelled & late], raw_score=True, num_threads=1)
            scores.append((auc(labels[labelled & late], margins), _ks(labels[labelled & late], margins)))
        pairs.append((scores[0][0] - scores[1][0], scores[0][0], scores[0][1] - scores[1][1]))
    loss, raw, ks = (statistics.median(each) for each in zip(*pairs, strict=True))
    return loss, {"auc_exact": round(raw, 4), "ks_loss": round(ks, 4), "rows": int(labelled.sum())}


def _ks(labels: Any, scores: Any) -> float:
    ordered = labels[np.argsort(scores)]
    bad, good = np.cumsum(ordered) / ordered.sum(), np.cumsum(1 - ordered) / (1 - ordered).sum()
    return float(np.max(np.abs(good - bad)))


def _measured(figure: str, value: float, unit: str, subjects: int, **rest: Any) -> None:
    ending = "" if subjects == SIZES[0] else f"_{subjects // 1000}k"
    record(f"{figure}{ending}", value, unit, data=f"{INVENTED}, {subjects} subjects", **rest)


def _worst(figure: str, name: Callable[[str], bool], key: str, goal: float, subjects: int) -> None:
    by_kind = {}
    for kind in KINDS:
        evidence = attacked(kind, subjects)[0]
        by_kind[kind] = max(each[key] for attacker, each in evidence.items() if name(attacker))
    _measured(figure, max(by_kind.values()), "share", subjects, goal=goal, more=by_kind)


def rows_alone_all_knowing(subjects: int = SIZES[0]) -> None:
    """Subjects that an attacker who knows all that is open finds alone."""
    _worst("rows_alone_all_knowing", lambda name: name == "all_knowing", "alone", 0.0, subjects)


def rows_guess_right_all_knowing(subjects: int = SIZES[0]) -> None:
    """The chance of a right guess of the same attacker."""
    _worst("rows_guess_right_all_knowing", lambda name: name == "all_knowing", "guess_right", 0.2, subjects)


def rows_alone_3_records(subjects: int = SIZES[0]) -> None:
    """Subjects found alone by three public records."""
    _worst("rows_alone_3_records", lambda name: name == "records_3", "alone", 0.01, subjects)


def rows_alone_3_records_register(subjects: int = SIZES[0]) -> None:
    """Subjects found alone by three public records and the register."""
    _worst("rows_alone_3_records_register", lambda name: name == "records_3_register", "alone", 0.01, subjects)


def rows_guess_right(subjects: int = SIZES[0]) -> None:
    """The chance of a right guess with 1, 3 or 5 records, with or without the register: the worst."""
    _worst("rows_guess_right", lambda name: name.startswith("records_"), "guess_right", 0.05, subjects)


def rows_alone_bank(subjects: int = SIZES[0]) -> None:
    """Customers that a bank finds alone by its own loans and their outcomes."""
    _worst("rows_alone_bank", lambda name: name == "bank_loan_performance", "alone", 0.05, subjects)


def rows_alone_partner(subjects: int = SIZES[0]) -> None:
    """Subjects that a trading partner finds alone by its own invoices."""
    _worst("rows_alone_partner", lambda name: name == "partner_invoice", "alone", 0.05, subjects)


def rows_auc_loss(subjects: int = SIZES[0]) -> None:
    """The AUC that rows of enterprises lose."""
    loss, more = auc_loss("enterprise", shown_sample("enterprise", subjects=subjects))
    _measured("rows_auc_loss", loss, "AUC", subjects, goal=0.01, against="exact features, same split", more=more)


def rows_auc_loss_individual(subjects: int = SIZES[0]) -> None:
    """The AUC that rows of individual businesses lose."""
    loss, more = auc_loss("individual_business", shown_sample("individual_business", subjects=subjects))
    goal = 0.015 if subjects == SIZES[0] else 0.01
    _measured(
        "rows_auc_loss_individual", loss, "AUC", subjects, goal=goal, against="exact features, same split", more=more
    )


def rows_frontier() -> None:
    """The loss and the chance of a right guess of who knows all that is open, at k = 5, 10, 20, and by MDAV."""
    for kind in KINDS:
        for k in (5, 10, 20):
            _frontier(kind, "mondrian", k)
    _frontier("enterprise", "mdav", 5)


def _frontier(kind: str, way: str, k: int) -> None:
    shown = shown_sample(kind, mdav if way == "mdav" else mondrian, k=k)
    loss, figures = auc_loss(kind, shown)
    groups = int(shown.groups.max()) + 1
    more: dict[str, Any] = {**figures, "kind": kind, "way": way, "k": k, "guess_right": round(groups / len(shown), 4)}
    record("rows_frontier", loss, "AUC", against="exact features, same split", more=more)


def rows_seconds(subjects: int = SIZES[0]) -> None:
    """Seconds of one release of a day with a new partition and the whole attack."""
    _, seconds, rows = attacked("enterprise", subjects)
    _measured("rows_seconds", seconds, "s", subjects, more={"rows": rows})


def rows_rss_mib(subjects: int = SIZES[0]) -> None:
    """Peak resident memory of the process that made the rows."""
    attacked("enterprise", subjects)
    _measured("rows_rss_mib", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, "MiB", subjects)


def _silent(label: str, done: int, total: int) -> None:
    """No progress is shown."""
