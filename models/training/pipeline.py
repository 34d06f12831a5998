"""Training (训练): an ORDER becomes a VERSION. The order is data; the code that runs on the cluster is ours.

The same order gives the same version, to the byte. What differs from run to run (who, when, how long, the champion of
that day on the same rows) goes to the ledger and to MLflow. A training that is killed leaves nothing on the shelf: a
version is put there completely or not at all.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from typing import Any

from credit.actor import Actor
from credit.keys import SigningKey
from credit.ledger import Ledger
from credit.seal import Kind, Seal
from credit.shelf import OpenedSeal, Shelf
from credit.usage_rights import TRAINING_USE, UsageRight, require_use
from models.dataset import sample
from models.dataset.counted import counted_sample
from models.dataset.leakage import require_no_leak
from models.dataset.order_sets import AnsweredOrders, PlacedOrder, given_units
from models.dataset.sample import Sample
from models.distributed.ray_cluster import Tasks, cluster
from models.features.buckets import MapBuckets, release_terms
from models.features.duckdb_engine import Limits
from models.features.feature_sql import order_rights, written_order
from models.order.order import Order
from models.order.sealed_order import open_order
from models.promotion.champion import champion_evidence
from models.registry import version
from models.registry.mlflow_registry import Tracking
from models.scoring.scorer import Scorer
from models.settings import ComputeSettings
from models.training.disk_errors import refuse_on_full_disk
from models.training.fit import VersionContent, fit, require_learnable
from models.training.training_log import log_training

VALID_DAYS = 365  # a version expires this many days after the ``as_of`` day of its release
Progress = Callable[[str, int, int], None]  # step, done, total


def train(
    order_seal: OpenedSeal,
    *,
    shelf: Shelf,
    key: SigningKey,
    by: Actor,
    ledger: Ledger,
    tracking: Tracking,
    answered: AnsweredOrders,
    tasks: Tasks | None = None,
    today: date | None = None,
    progress: Progress | None = None,
    limits: Limits | None = None,
    project: str = "",
) -> Seal:
    """Make the version of an order and put it on the shelf; the same order again gives the same seal.

    ``tasks`` is a running cluster, else a local one is started for this call; ``limits`` bound the feature SQL.
    ``answered`` are the earlier orders, of which none of this author or ``project`` may differ in a few subjects.
    Raises :class:`~credit.errors.Refused` when nothing can be learned or a feature predicts the label almost alone,
    before any run is logged, and :class:`~credit.errors.Lapsed` when the release has ended by ``today``.
    """
    with refuse_on_full_disk():
        return _train(order_seal, shelf, key, by, ledger, tracking, tasks, today, progress, limits, answered, project)


def _train(
    order_seal: OpenedSeal,
    shelf: Shelf,
    key: SigningKey,
    by: Actor,
    ledger: Ledger,
    tracking: Tracking,
    tasks: Tasks | None,
    today: date | None,
    progress: Progress | None,
    limits: Limits | None,
    answered: AnsweredOrders,
    project: str,
) -> Seal:
    order, release = open_order(order_seal, shelf, today=today)
    order = written_order(order, release_terms(release, "research"))
    rights = order_rights(order, release.seal.terms)
    require_use(rights, TRAINING_USE)
    tracking.require()
    ledger.append("training.started", order_seal.seal.id, by=by, details={"release": release.seal.id})
    seconds: dict[str, float] = {}
    with _tasks(tasks, seconds) as running_tasks:
        placed = PlacedOrder(order_seal.seal.id, release.seal.id, by, project)

        def observed(order: Order) -> Sample:
            with _timed(seconds, "sample"):
                made = sample.build_sample(
                    order, release, map_buckets=sample_buckets(running_tasks, progress), limits=limits
                )
            require_learnable(made)
            return made

        order, observations, answered_for = counted_sample(order, observed, placed, answered)
        require_no_leak(order, observations)
        with _timed(seconds, "fit"):
            fitted = fit(
                order.as_json(),
                observations,
                running_tasks,
                order=order_seal.seal.id,
                release=release.seal.id,
                progress=_step(progress, "search"),
                membership_progress=_step(progress, "membership"),
            )
        with _timed(seconds, "champion"):
            scorer = Scorer.of(fitted.text, fitted.scorecard)
            champion = champion_evidence(scorer, order_seal.seal.id, order, release, observations, shelf, running_tasks)
    with shelf.staging() as folder, _timed(seconds, "write"):
        version.write_version(
            folder,
            text=fitted.text,
            scorecard=fitted.scorecard,
            sql=order.sql,
            features=observations.features,
            evidence=fitted.evidence | answered_for,
            leaves=fitted.leaves,
        )
        seal = shelf.put(
            folder,
            Kind.VERSION,
            parents=(order_seal.seal.id,),
            terms=_terms(order, release, fitted, rights) | answered_for,
            expires_on=date.fromisoformat(release.seal.terms["as_of"]) + timedelta(days=VALID_DAYS),
            by=by,
            key=key,
        )
    run = log_training(tracking, shelf.open(seal.id, deep=False), fitted, observations, seconds, by)
    details: dict[str, Any] = {"order": order_seal.seal.id, "release": release.seal.id, "mlflow_run": run}
    details |= {"project": project, "changes": champion.pop("changes", {})}
    ledger.append("version.made", seal.id, by=by, details=details | ({"champion": champion} if champion else {}))
    return seal


def answered_orders(settings: ComputeSettings, ledger: Ledger) -> AnsweredOrders:
    """The orders that compute answered; raises :class:`~credit.errors.Malformed` when the settings name no folders."""
    return AnsweredOrders(given_units(settings, ledger))


def _terms(order: Order, release: OpenedSeal, fitted: VersionContent, rights: frozenset[UsageRight]) -> dict[str, Any]:
    return {
        "model": order.model,
        "title": order.title,
        "subject_kind": order.subject_kind,
        "features": [feature["name"] for feature in fitted.scorecard["features"]],
        "release": release.seal.id,
        "usage": sorted(rights),  # of all tables that it reads: they decide whom it may serve
        "smallest_leaf": fitted.evidence["leaves"]["smallest"],  # in subjects, as compute counted them
        "invented": bool(release.seal.terms.get("invented", False)),
    }


def sample_buckets(tasks: Tasks, progress: Progress | None) -> MapBuckets:
    """How a sample is made of buckets on these tasks, reported as the step ``sample``."""
    return lambda fn, args: tasks.map_tasks(fn, args, progress=_step(progress, "sample"))


def _step(progress: Progress | None, step: str) -> Callable[[int, int], None] | None:
    return None if progress is None else lambda done, total: progress(step, done, total)


@contextmanager
def _tasks(tasks: Tasks | None, seconds: dict[str, float]) -> Iterator[Tasks]:
    if tasks is not None:
        yield tasks
        return
    start = time.monotonic()
    with cluster() as started:
        seconds["cluster"] = time.monotonic() - start
        yield started


@contextmanager
def _timed(seconds: dict[str, float], step: str) -> Iterator[None]:
    start = time.monotonic()
    yield
    seconds[step] = time.monotonic() - start
