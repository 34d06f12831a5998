"""What the promotion gate evaluates: a version, measured again from its order's release, and the champion on the
same rows."""

from __future__ import annotations

from datetime import date

from credit.errors import Broken, CreditError
from credit.shelf import OpenedSeal, Shelf
from credit.usage_rights import UsageRight
from models.dataset import sample as samples
from models.dataset.cut_rows import cut_rows
from models.dataset.order_sets import with_label
from models.dataset.sample import Sample
from models.distributed.ray_cluster import Tasks
from models.features.feature_sql import order_rights
from models.order.order import Order
from models.order.sealed_order import open_order, read_sealed_order
from models.promotion.champion import champion_rows, champion_version
from models.promotion.measured_version import ChampionComparison, PromotionCase
from models.promotion.subject_changes import subject_changes
from models.registry.version import read_recipe
from models.scoring.golden import check_golden
from models.scoring.scorer import Scorer
from models.validation.evidence import measure, rounded
from models.validation.holdout import HoldoutScores, score_holdout, training_rows
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
    champion = _champion(version, order, release, sample, shelf, tasks, scorer, holdout)
    text = (version.path / "model.txt").read_text(encoding="ascii")
    privacy = measure_privacy(cut_rows(training_rows(sample, scorer))[0], scorer.forest, recipe, tasks)
    evidence = measure(scorer, sample, holdout) | rounded(privacy.as_evidence())
    return PromotionCase(version.seal.id, text, recipe, scorer, sample, holdout, evidence, champion)


def version_rights(version: OpenedSeal, shelf: Shelf) -> frozenset[UsageRight]:
    """The usage rights of all that a version's order reads of its release, not as the version states them."""
    order_seal = shelf.open(version.seal.parents[0])
    release = shelf.open(order_seal.seal.parents[0], deep=False)
    return order_rights(read_sealed_order(order_seal), release.seal.terms)


def _champion(
    version: OpenedSeal,
    order: Order,
    release: OpenedSeal,
    sample: Sample,
    shelf: Shelf,
    tasks: Tasks,
    scorer: Scorer,
    holdout: HoldoutScores,
) -> ChampionComparison | None:
    champion = champion_version(order, shelf)
    if not champion:
        return None
    if champion == version.seal.id:
        return ChampionComparison(champion, None)
    try:
        own = champion_rows(champion, order, release, sample, shelf, tasks)
        scored = score_holdout(own.rows, own.scorer, own.recipe, tasks, baseline=False)
        changes = subject_changes(scorer, holdout.features, own.scorer, scored.features, holdout.subjects)
        return ChampionComparison(champion, scored.raw, changes=changes)
    except CreditError as error:
        return ChampionComparison(champion, None, error.reason)
