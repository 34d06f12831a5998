"""From a sample to the content of a version: search, calibration, final trees, evidence. No seal, clock or server."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from credit.errors import Refused
from credit.messages import Text
from models.boosting.booster import average_boosters, model_text_of, train_booster
from models.boosting.published_text import published_text
from models.boosting.recipe import Recipe, averaged_recipe
from models.boosting.search import out_of_fold_margins, search
from models.boosting.sharded_folds import out_of_fold_margins_sharded, shard_count, subsample_by_subject
from models.calibration.selection import CalibrationChoice, select_calibration
from models.dataset.cut_rows import cut_rows, in_time_rows
from models.dataset.matrix import TrainingRows
from models.distributed.ray_cluster import Progress, Tasks
from models.distributed.worker_group import WorkerGroup
from models.metrics.discrimination import auc
from models.order.spec import training_of
from models.privacy.floors import load_floors
from models.privacy.leaf_recount import recount_leaves
from models.registry import version
from models.scoring.scorer import Scorer
from models.scoring.trees.model_text import Forest, read
from models.validation.evidence import measure, rounded
from models.validation.holdout import out_of_fold_figures, score_holdout
from models.validation.model_privacy import measure_privacy
from models.validation.woe_benchmark.benchmark import run_benchmark

if TYPE_CHECKING:
    from models.dataset.sample import Sample

MINIMUM_ROWS = 100
MINIMUM_POSITIVES = 10


@dataclass(frozen=True, slots=True)
class VersionContent:
    """The content of a version's folder."""

    text: str
    scorecard: dict[str, Any]
    evidence: dict[str, Any]
    leaves: Mapping[str, Any]  # the subjects of every leaf of every tree, and how many of them defaulted
    folds: tuple[dict[str, float], ...] = ()  # the figures on each fold, from models trained on the other folds


def require_learnable(sample: Sample) -> None:
    """Raise :class:`Refused` with the reason when a model cannot be trained on this sample."""
    in_time = ~np.asarray(sample.out_of_time, dtype=np.bool_)
    labels, features = np.asarray(sample.labels)[in_time], np.asarray(sample.features)[in_time]
    positives = int(np.sum(labels))
    why: Text | None = None
    if len(labels) < MINIMUM_ROWS:
        why = Text.of("fit.few-rows", rows=len(labels), least=MINIMUM_ROWS)
    elif min(positives, len(labels) - positives) == 0:
        why = Text.of("fit.one-outcome", rows=len(labels))
    elif min(positives, len(labels) - positives) < MINIMUM_POSITIVES:
        why = Text.of("fit.few-positives", positives=positives, rows=len(labels), least=MINIMUM_POSITIVES)
    elif _all_constant(features):
        why = Text.of("fit.constant")
    elif len(np.unique(np.asarray(sample.fold)[in_time])) < 2:
        why = Text.of("fit.one-fold")
    elif not in_time.all() and len(np.unique(np.asarray(sample.labels)[~in_time])) < 2:
        why = Text.of("fit.holdout-one-outcome")
    if why:
        raise Refused("fit.sample-not-one-to-train", why=why)


@dataclass(frozen=True, slots=True)
class TrainedModel:
    """A model before it is evaluated: its content, and how it was made."""

    text: str
    scorecard: dict[str, Any]
    rows: TrainingRows  # the in-time rows, which it was trained on
    recipe: Recipe
    margins: NDArray[np.float64]  # out-of-fold margins of these rows
    calibration: CalibrationChoice


def train_model(
    declaration: Mapping[str, Any],
    sample: Sample,
    tasks: Tasks,
    *,
    order: str,
    release: str,
    progress: Progress | None = None,
) -> TrainedModel:
    """Search, train and calibrate on the in-time rows of the sample; rows out of time are not used."""
    require_learnable(sample)
    names = tuple(feature["name"] for feature in declaration["features"])
    if names != tuple(sample.names):
        raise Refused("fit.sample-features-not-declared-ones")
    directions = [int(feature["direction"]) for feature in declaration["features"]]
    rows, grid = cut_rows(in_time_rows(sample, directions))
    training = training_of(declaration)
    rows_a_worker = training.rows_a_worker
    in_time = ~np.asarray(sample.out_of_time, dtype=np.bool_)
    subjects = [sample.subjects[number] for number in np.flatnonzero(in_time)]
    searched = subsample_by_subject(subjects, rows_a_worker)
    result = search(rows.select(searched), training, tasks, progress)
    chosen_recipe = _recipe_for_shards(result.recipe, shard_count(len(rows.labels), rows_a_worker))
    floors = load_floors()
    recipe, trained = train_with_full_leaves(
        rows, chosen_recipe, tasks.worker_group, training.minimum_leaf, floors.leaf_subjects
    )
    text = published_text(trained, rows, grid, floors.leaf_decimals)
    sharded = recipe.shards > 1
    margins = (
        out_of_fold_margins_sharded(rows, recipe, tasks.worker_group)
        if sharded
        else out_of_fold_margins(rows, recipe, tasks)
    )
    calibration = select_calibration(
        rows.labels, margins, rows.fold, subjects, training.calibration, recipe.minimum_leaf
    )
    outcome = version.TrainingOutcome(recipe, calibration.selected, result.compared)
    scorecard = version.version_json(declaration, outcome, order=order, release=release)
    return TrainedModel(text, scorecard, rows, recipe, margins, calibration)


def fit(
    declaration: Mapping[str, Any],
    sample: Sample,
    tasks: Tasks,
    *,
    order: str,
    release: str,
    progress: Progress | None = None,
    membership_progress: Progress | None = None,
) -> VersionContent:
    """The content of a version, from the declaration of its order (``Order.as_json()``) and its sample."""
    trained = train_model(declaration, sample, tasks, order=order, release=release, progress=progress)
    rows, margins = trained.rows, trained.margins
    scorer = Scorer.of(trained.text, trained.scorecard)
    holdout = score_holdout(sample, scorer, trained.recipe, tasks)
    evidence = measure(scorer, sample, holdout)
    later = (holdout.labels, holdout.raw) if holdout.by == "out of time" else (None, None)
    evidence["calibrators"] = rounded(trained.calibration.as_evidence(*later))
    evidence["out_of_fold"] = rounded(out_of_fold_figures(sample, margins))
    least = max(training_of(declaration).minimum_leaf, load_floors().evidence_subjects)
    evidence["challenger"] = run_benchmark(scorer, sample, holdout, least, tasks)
    privacy = measure_privacy(rows, scorer.forest, trained.recipe, tasks, membership_progress)
    evidence |= rounded(privacy.as_evidence())
    return VersionContent(
        trained.text,
        trained.scorecard,
        evidence,
        privacy.leaves.as_json(),
        tuple(_fold_figures(rows, margins, fold) for fold in rows.folds),
    )


def train_with_full_leaves(
    rows: TrainingRows,
    recipe: Recipe,
    worker_group: WorkerGroup | None = None,
    minimum: int = 0,
    subjects: int = 1,
) -> tuple[Recipe, str]:
    """Trees in which every leaf has at least ``minimum`` rows (0: the recipe's own bound) of at least so many
    ``subjects``, and the recipe that gives them."""
    trained = [
        _train_until_full(rows, member, worker_group, minimum or recipe.minimum_leaf, subjects)
        for member in recipe.members
    ]
    return averaged_recipe([member for member, _ in trained]), model_text_of(
        average_boosters([booster for _, booster in trained])
    )


def _train_until_full(
    rows: TrainingRows, recipe: Recipe, worker_group: WorkerGroup | None, minimum: int, subjects: int
) -> tuple[Recipe, Any]:
    """One booster with full leaves.

    LightGBM bounds a leaf by an estimate of its rows from their Hessians, so late trees fall below the bound, and a
    subject may have several rows. The bound is raised until every leaf is full, faster the farther they are off. This
    ends: a bound that is high enough leaves no split, which is refused.
    """
    current = recipe
    while True:
        booster = train_booster(rows.features, rows.labels, rows.names, rows.directions, current, worker_group)
        filled = _filled_share(read(model_text_of(booster), rows.names), rows, minimum, subjects)
        if filled >= 1.0:
            return current, booster
        bound = current.minimum_leaf
        faster = math.ceil(bound / math.sqrt(filled))
        current = replace(current, minimum_leaf=max(faster, bound + math.ceil(minimum * (1.0 - filled))))


def _filled_share(forest: Forest, rows: TrainingRows, minimum: int, subjects: int) -> float:
    """The share of what it has to have that the least full leaf has; 1 or more when every leaf is full."""
    smallest = min(int(tree.leaf_count.min()) for tree in forest.trees)
    share = max(1, smallest) / minimum
    if share >= 1.0 and subjects > 1:
        share = min(share, max(1, recount_leaves(forest, rows.features, rows.labels, rows.units).smallest) / subjects)
    return share


def _recipe_for_shards(recipe: Recipe, shards: int) -> Recipe:
    """The recipe of the whole model: when several workers train it, one booster on all rows."""
    return recipe if shards == 1 else replace(recipe, shards=shards, row_share=1.0, beside=())


def _fold_figures(rows: TrainingRows, margins: NDArray[np.float64], fold: int) -> dict[str, float]:
    in_fold = rows.fold == fold
    labels = rows.labels[in_fold]
    figures = {
        "fold": fold,
        "rows": len(labels),
        "positives": int(np.sum(labels)),
        "auc": auc(labels, margins[in_fold]),
    }
    return {name: value for name, value in figures.items() if not np.isnan(value)}


def _all_constant(features: Any) -> bool:
    missing = np.isnan(features)
    filled = np.where(missing, 0.0, features)
    return bool(np.all((np.ptp(filled, axis=0) == 0) & (missing.all(axis=0) | ~missing.any(axis=0))))
