"""What the promotion gate judges: a version measured afresh from its order's release, beside the champion."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np

from credit.errors import Broken, CreditError
from credit.messages import Text
from credit.shelf import OpenedSeal, Shelf
from models.dataset import sample as samples
from models.dataset.sample import Sample
from models.distributed.ray_cluster import Tasks
from models.order.order import Order
from models.order.sealed_order import open_order
from models.promotion.gate import ChampionComparison, PromotionCase
from models.registry.version import recipe_of
from models.scoring.golden import check_golden
from models.scoring.scorer import Scorer
from models.validation.evidence import measure
from models.validation.holdout import judge_rows


def prepare(version: OpenedSeal, *, shelf: Shelf, tasks: Tasks, today: date | None = None) -> PromotionCase:
    """Try the version in a throw-away process, build its order's sample again, and measure."""
    check_golden(version.path)
    scorer, recipe = Scorer.load(version.path), recipe_of(version.path)
    order_seal = shelf.open(version.seal.parents[0])
    order, release = open_order(order_seal, shelf, today=today)
    if tuple(f["name"] for f in order.as_json()["features"]) != scorer.card.names:
        raise Broken("case.version-other-features-than-order")
    built = samples.build(order, release, map_buckets=tasks.map_tasks)
    judged = judge_rows(built, scorer, recipe, tasks)
    champion = _champion(version, order, release, built, shelf, tasks)
    text = (version.path / "model.txt").read_text(encoding="ascii")
    evidence = measure(scorer, built, judged)
    return PromotionCase(version.seal.id, text, recipe, scorer, built, judged, evidence, champion)


def _champion(
    version: OpenedSeal, order: Order, release: OpenedSeal, built: Sample, shelf: Shelf, tasks: Tasks
) -> ChampionComparison | None:
    pointer = shelf.pointer(f"champion-{order.model}", {"platform"})
    if pointer is None:
        return None
    rival: str = pointer["version"]
    if rival == version.seal.id:
        return ChampionComparison(rival, None)
    try:
        opened = shelf.open(rival)
        scorer, recipe = Scorer.load(opened.path), recipe_of(opened.path)
        theirs, _ = open_order(shelf.open(opened.seal.parents[0]), shelf)
        # Their features, our days, labels and subjects: the same rows seen by the other model.
        asked = replace(order, features=theirs.features, sql=theirs.sql, tables=theirs.tables)
        rows = samples.build(asked, release, map_buckets=tasks.map_tasks)
        if list(rows.subjects) != list(built.subjects) or not np.array_equal(rows.as_of, built.as_of):
            return ChampionComparison(rival, None, Text.of("promotion-gate.other-rows"))
        return ChampionComparison(rival, judge_rows(rows, scorer, recipe, tasks, baseline=False).raw)
    except CreditError as error:
        return ChampionComparison(rival, None, error.message)
