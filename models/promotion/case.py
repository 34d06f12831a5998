"""What the promotion gate evaluates: a version, measured again from its order's release, and the champion on the
same rows."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np

from credit.errors import Broken, CreditError
from credit.messages import Text
from credit.shelf import OpenedSeal, Shelf
from models.dataset import sample as samples
from models.dataset.cut_rows import cut_rows
from models.dataset.order_sets import with_label
from models.dataset.sample import Sample
from models.distributed.ray_cluster import Tasks
from models.order.order import Order
from models.order.sealed_order import open_order
from models.promotion.measured_version import ChampionComparison, PromotionCase
from models.registry.version import read_recipe
from models.scoring.golden import check_golden
from models.scoring.scorer import Scorer
from models.validation.evidence import measure, rounded
from models.validation.holdout import score_holdout, training_rows
from models.validation.model_privacy import measure_privacy


def prepare_case(version: OpenedSeal, *, shelf: Shelf, tasks: Tasks, today: date | None = None) -> PromotionCase:
    """Try the version in a separate process, build its order's sample again, and measure."""
    check_golden(version.path)
    scorer, recipe = Scorer.load(version.path), read_recipe(version.path)
    order_seal = shelf.open(version.seal.parents[0])
    order, release = open_order(order_seal, shelf, today=today)
    if answered_for := version.seal.terms.get("answered_for"):
        order = with_label(order, answered_for["label"])
    if tuple(f["name"] for f in order.as_json()["features"]) != scorer.card.names:
        raise Broken("case.version-other-features-than-order")
    sample = samples.build_sample(order, release, map_buckets=tasks.map_tasks)
    holdout = score_holdout(sample, scorer, recipe, tasks)
    champion = _champion(version, order, release, sample, shelf, tasks)
    text = (version.path / "model.txt").read_text(encoding="ascii")
    privacy = measure_privacy(cut_rows(training_rows(sample, scorer))[0], scorer.forest, recipe, tasks)
    evidence = measure(scorer, sample, holdout) | rounded(privacy.as_evidence())
    return PromotionCase(version.seal.id, text, recipe, scorer, sample, holdout, evidence, champion)


def _champion(
    version: OpenedSeal, order: Order, release: OpenedSeal, sample: Sample, shelf: Shelf, tasks: Tasks
) -> ChampionComparison | None:
    pointer = shelf.pointer(f"champion-{order.model}", {"platform"})
    if pointer is None:
        return None
    champion: str = pointer["version"]
    if champion == version.seal.id:
        return ChampionComparison(champion, None)
    try:
        opened = shelf.open(champion)
        scorer, recipe = Scorer.load(opened.path), read_recipe(opened.path)
        champion_order, _ = open_order(shelf.open(opened.seal.parents[0]), shelf)
        # The champion's features on the days, labels and subjects of this order: the same rows.
        compared_order = replace(
            order, features=champion_order.features, sql=champion_order.sql, tables=champion_order.tables
        )
        rows = samples.build_sample(compared_order, release, map_buckets=tasks.map_tasks)
        if list(rows.subjects) != list(sample.subjects) or not np.array_equal(rows.as_of, sample.as_of):
            return ChampionComparison(champion, None, Text.of("promotion-gate.other-rows"))
        return ChampionComparison(champion, score_holdout(rows, scorer, recipe, tasks, baseline=False).raw)
    except CreditError as error:
        return ChampionComparison(champion, None, error.message)
