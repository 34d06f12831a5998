"""The champion on the rows of an order: who is promoted now, and how it does on the same days, labels and subjects.

It is computed in compute. What returns to a workspace is evidence, merged and rounded as that of any version; no text
of a model and no score of a row.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from credit.errors import CreditError, Refused
from credit.messages import Text
from credit.requests.failure import messages_of
from credit.shelf import OpenedSeal, Shelf
from credit.versions import champion_of
from models.boosting.recipe import Recipe
from models.dataset import sample as samples
from models.dataset.sample import Sample
from models.distributed.ray_cluster import Tasks
from models.metrics.discrimination import auc_gain
from models.order.order import Order
from models.order.sealed_order import open_order
from models.promotion.subject_changes import subject_changes
from models.registry.version import read_recipe
from models.scoring.scorer import Scorer
from models.validation.evidence import measure, rounded
from models.validation.holdout import score_holdout

LEFT_OUT = ("feature_stability", "segments", "trained")  # of the champion's evidence: they are on its own card


@dataclass(frozen=True, slots=True, eq=False)
class ChampionRows:
    """The champion's scorer and recipe, and its features on the rows of an order."""

    scorer: Scorer
    recipe: Recipe
    rows: Sample


def champion_version(order: Order, shelf: Shelf) -> str:
    """The id of the version that the platform promoted for this model; empty without one."""
    return champion_of(shelf, order.model)


def champion_rows(
    champion: str, order: Order, release: OpenedSeal, sample: Sample, shelf: Shelf, tasks: Tasks
) -> ChampionRows:
    """The champion's features on the days, labels and subjects of an order whose ``sample`` is this.

    Raises :class:`CreditError` where they cannot be computed, or are of other rows.
    """
    opened = shelf.open(champion)
    scorer, recipe = Scorer.load(opened.path), read_recipe(opened.path)
    own, _ = open_order(shelf.open(opened.seal.parents[0]), shelf)
    compared = replace(order, features=own.features, sql=own.sql, tables=own.tables)
    rows = samples.build_sample(compared, release, map_buckets=tasks.map_tasks)
    if list(rows.subjects) != list(sample.subjects) or not np.array_equal(rows.as_of, sample.as_of):
        raise Refused("champion.not-compared", why=Text.of("promotion-gate.other-rows"))
    return ChampionRows(scorer, recipe, rows)


def champion_evidence(
    candidate: Scorer, order_id: str, order: Order, release: OpenedSeal, sample: Sample, shelf: Shelf, tasks: Tasks
) -> dict[str, Any]:
    """How the champion does on the rows of a candidate's order, as plain values: its ``version``, its ``evidence``, and
    the ``gain`` in AUC of the candidate, ``{auc, low, high}``, and the ``changes`` for subjects, which the platform
    sees and no workspace. Empty without another champion.

    ``{version, error}``, with the messages of the error, where it cannot be measured; only rows out of time are
    compared.
    """
    champion = champion_version(order, shelf)
    if not champion:
        return {}
    late = np.asarray(sample.out_of_time, dtype=np.bool_)
    try:
        if shelf.open(champion, deep=False).seal.parents[0] == order_id:
            return {}
        if not late.any():
            raise Refused("champion.not-compared", why=Text.of("champion.no-later-days"))
        own = champion_rows(champion, order, release, sample, shelf, tasks)
        holdout = score_holdout(own.rows, own.scorer, own.recipe, tasks, baseline=False)
        evidence = measure(own.scorer, own.rows, holdout)
    except CreditError as error:
        return {"version": champion, "error": messages_of(error)}
    features = np.asarray(sample.features[late], dtype=np.float64)
    raw = candidate.raw(features)
    changes = subject_changes(candidate, features, own.scorer, holdout.features, holdout.subjects)
    gain, _ = auc_gain(holdout.labels, raw, holdout.raw, holdout.subjects)
    kept = {name: value for name, value in evidence.items() if name not in LEFT_OUT}
    gained: dict[str, Any] = rounded({"auc": gain.value, "low": gain.low, "high": gain.high})
    return {"version": champion, "evidence": kept, "gain": gained, "changes": changes}
