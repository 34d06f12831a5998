"""Measuring a version on other rows, in compute: an entry of the ledger holds the evidence, merged and rounded as any.

No score of a row and no text of a model returns. The same request is measured once.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np

from credit.actor import Actor
from credit.errors import Refused
from credit.ledger import Ledger, LookUp
from credit.messages import Text
from credit.order_requests import MEASUREMENT
from credit.shelf import OpenedSeal, Shelf
from credit.usage_rights import TRAINING_USE, require_use
from models.dataset import sample as samples
from models.dataset.counted import counted_sample
from models.dataset.order_sets import AnsweredOrders, PlacedOrder
from models.dataset.sample import Sample
from models.distributed.ray_cluster import Tasks
from models.features.buckets import release_terms
from models.features.duckdb_engine import Limits
from models.features.feature_sql import order_rights, written_order
from models.measuring.request import MeasurementRequest
from models.order.order import Order
from models.order.sealed_order import open_order
from models.registry.version import read_recipe
from models.scoring.scorer import Scorer
from models.training.fit import require_learnable
from models.training.pipeline import Progress, sample_buckets
from models.validation.evidence import measure
from models.validation.holdout import HoldoutScores, score_holdout

LEFT_OUT = ("trained",)  # of the evidence: it is the earlier rows of the order that were trained on, and these were not
DECIMALS = 2  # of a share of rows


@dataclass(frozen=True, slots=True)
class Measuring:
    """What compute measures with."""

    shelf: Shelf
    ledger: Ledger
    answered: AnsweredOrders
    tasks: Tasks
    limits: Limits | None = None


def measure_version(
    measuring: Measuring,
    requested: OpenedSeal,
    request: MeasurementRequest,
    *,
    project: str,
    by: Actor,
    today: date,
    progress: Progress,
) -> dict[str, Any]:
    """``{version, evidence, on_training_days}`` and, for a near label, ``answered_for``; entered in the ledger.

    ``on_training_days`` is the share (0 to 1) of the measured rows that are of days on which the version was trained: a
    figure on them is better than one out of time. Raises :class:`Refused` when the rows do not bear a figure, when the
    order has no day from which rows are out of time, or differs in a few subjects from what was answered before; and
    :class:`~credit.errors.Lapsed` when the release has ended.
    """
    if (done := measured_before(measuring.ledger, requested.seal.id)) is not None:
        return done  # begun again after it was done
    placed = measuring.shelf.open(request.order)
    order, release = open_order(placed, measuring.shelf, today=today)
    order = written_order(order, release_terms(release, "research"))
    require_use(order_rights(order, release.seal.terms), TRAINING_USE)
    if order.split.out_of_time_from is None:
        raise Refused("measuring.not-measured", why=Text.of("champion.no-later-days"))

    def observed(order: Order) -> Sample:
        buckets = sample_buckets(measuring.tasks, progress)
        made = samples.build_sample(order, release, map_buckets=buckets, limits=measuring.limits)
        require_learnable(made)
        return made

    counted = PlacedOrder(placed.seal.id, release.seal.id, by, project)
    order, sample, answered_for = counted_sample(order, observed, counted, measuring.answered)
    opened = measuring.shelf.open(request.version)
    scorer = Scorer.load(opened.path)
    progress("measuring", 0, 1)
    holdout = score_holdout(sample, scorer, read_recipe(opened.path), measuring.tasks, baseline=False)
    evidence = measure(scorer, sample, holdout)
    trained, _ = open_order(measuring.shelf.open(opened.seal.parents[0]), measuring.shelf)
    measured = {
        "version": request.version,
        "release": release.seal.id,
        "evidence": {name: value for name, value in evidence.items() if name not in LEFT_OUT} | answered_for,
        "on_training_days": round(_on_training_days(holdout, trained), DECIMALS),
    }
    details = {"order": requested.seal.id, "project": project, "measured": measured}
    measuring.ledger.append(MEASUREMENT.made, requested.seal.id, by=by, details=details)
    progress("measuring", 1, 1)
    return measured


def measured_before(ledger: Ledger, requested: str) -> dict[str, Any] | None:
    """What was measured of a request, or None."""
    for entry in ledger.find(LookUp(verb=MEASUREMENT.made)):
        if entry.object == requested:
            return dict(entry.details["measured"])
    return None


def _on_training_days(holdout: HoldoutScores, trained: Order) -> float:
    border = trained.split.out_of_time_from
    return 1.0 if border is None else float(np.mean(holdout.as_of < np.datetime64(border, "D")))
