"""From a sample to a version's content: search, calibration, the final trees, evidence. No seal, clock or server."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from credit.errors import Refused
from credit.messages import Text
from models.boosting.booster import average, grow, text_of
from models.boosting.recipe import Recipe, together
from models.boosting.search import out_of_fold, search
from models.boosting.sharded_folds import few, out_of_fold_sharded, shards_of
from models.calibration.selection import CalibrationChoice, choose
from models.dataset.matrix import TrainingRows
from models.distributed.ray_cluster import Progress, Tasks
from models.distributed.worker_group import WorkerGroup
from models.metrics.discrimination import auc
from models.order.spec import training_of
from models.registry import version
from models.scoring.scorer import Scorer
from models.scoring.trees.model_text import read
from models.validation.evidence import measure, rounded
from models.validation.holdout import judge_rows, tell_folds
from models.validation.woe_benchmark.benchmark import challenge

if TYPE_CHECKING:
    from models.dataset.sample import Sample

LEAST_ROWS = 100
LEAST_POSITIVES = 10


@dataclass(frozen=True, slots=True)
class VersionContent:
    """What goes into a version's folder."""

    text: str
    told: dict[str, Any]
    evidence: dict[str, Any]
    folds: tuple[dict[str, float], ...] = ()  # of the recipe taken: how each was told by models that did not see it


def require_enough(sample: Sample) -> None:
    """Raise :class:`Refused` in words when there is nothing to learn from this sample."""
    in_time = ~np.asarray(sample.out_of_time, dtype=np.bool_)
    labels, features = np.asarray(sample.labels)[in_time], np.asarray(sample.features)[in_time]
    positives = int(np.sum(labels))
    why: Text | None = None
    if len(labels) < LEAST_ROWS:
        why = Text.of("fit.few-rows", rows=len(labels), least=LEAST_ROWS)
    elif min(positives, len(labels) - positives) == 0:
        why = Text.of("fit.one-outcome", rows=len(labels))
    elif min(positives, len(labels) - positives) < LEAST_POSITIVES:
        why = Text.of("fit.few-positives", positives=positives, rows=len(labels), least=LEAST_POSITIVES)
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
    """A model before it is judged: what goes into its folder, and how it came to be."""

    text: str
    told: dict[str, Any]
    rows: TrainingRows  # in time: what it has learnt from
    recipe: Recipe
    margins: NDArray[np.float64]  # of those rows, out of fold
    calibration: CalibrationChoice


def learn(
    declaration: Mapping[str, Any],
    sample: Sample,
    tasks: Tasks,
    *,
    order: str,
    release: str,
    progress: Progress | None = None,
) -> TrainedModel:
    """Search, grow and calibrate on the sample's rows in time; rows out of time are not looked at."""
    require_enough(sample)
    names = tuple(feature["name"] for feature in declaration["features"])
    if names != tuple(sample.names):
        raise Refused("fit.sample-features-not-declared-ones")
    in_time = ~np.asarray(sample.out_of_time, dtype=np.bool_)
    rows = TrainingRows(
        np.asarray(sample.features, dtype=np.float64)[in_time],
        np.asarray(sample.labels)[in_time],
        np.asarray(sample.fold)[in_time],
        names,
        tuple(int(feature["direction"]) for feature in declaration["features"]),
    )
    training = training_of(declaration)
    most = training.rows_a_worker
    subjects = [sample.subjects[number] for number in np.flatnonzero(in_time)]
    looked_at = few(subjects, most)
    choice = search(_only(rows, looked_at), training, tasks, progress)
    chosen = _sharded(choice.recipe, shards_of(len(rows.labels), most))
    recipe, text = full_leaves(rows, chosen, tasks.gang, training.minimum_leaf)
    sharded = recipe.shards > 1
    margins = out_of_fold_sharded(rows, recipe, tasks.gang) if sharded else out_of_fold(rows, recipe, tasks)
    calibration = choose(rows.labels, margins, rows.fold, subjects, training.calibration, recipe.minimum_leaf)
    made = version.TrainingOutcome(recipe, calibration.taken, choice.compared)
    told = version.scorecard(declaration, made, order=order, release=release)
    return TrainedModel(text, told, rows, recipe, margins, calibration)


def fit(
    declaration: Mapping[str, Any],
    sample: Sample,
    tasks: Tasks,
    *,
    order: str,
    release: str,
    progress: Progress | None = None,
) -> VersionContent:
    """Make a version's content from the declaration of its order (``Order.as_json()``) and its sample."""
    learnt = learn(declaration, sample, tasks, order=order, release=release, progress=progress)
    rows, margins = learnt.rows, learnt.margins
    scorer = Scorer.of(learnt.text, learnt.told)
    judged = judge_rows(sample, scorer, learnt.recipe, tasks)
    evidence = measure(scorer, sample, judged)
    later = (judged.labels, judged.raw) if judged.by == "out of time" else (None, None)
    evidence["calibrators"] = rounded(learnt.calibration.as_evidence(*later))
    evidence["out_of_fold"] = rounded(tell_folds(sample, margins))
    evidence["challenger"] = challenge(scorer, sample, judged, training_of(declaration).minimum_leaf, tasks)
    return VersionContent(learnt.text, learnt.told, evidence, tuple(_told(rows, margins, fold) for fold in rows.folds))


def full_leaves(
    rows: TrainingRows, recipe: Recipe, gang: WorkerGroup | None = None, least: int = 0
) -> tuple[Recipe, str]:
    """Trees in which every leaf really holds ``least`` rows (0: the recipe's own), and the recipe that grew them."""
    grown = [_full(rows, each, gang, least or recipe.minimum_leaf) for each in recipe.alone]
    return together([each for each, _ in grown]), text_of(average([booster for _, booster in grown]))


def _full(rows: TrainingRows, recipe: Recipe, gang: WorkerGroup | None, least: int) -> tuple[Recipe, Any]:
    """One booster of full leaves.

    LightGBM bounds a leaf by an estimate of its rows from their Hessians, so late trees undercut the bound; it is
    raised until they do not, the faster the farther off they are. It ends: a bound high enough leaves no split, which
    is refused in words.
    """
    now = recipe
    while True:
        booster = grow(rows.features, rows.labels, rows.names, rows.directions, now, gang)
        smallest = min(int(tree.leaf_count.min()) for tree in read(text_of(booster), rows.names).trees)
        if smallest >= least:
            return now, booster
        bound = now.minimum_leaf
        further = math.ceil(bound * math.sqrt(least / max(1, smallest)))
        now = replace(now, minimum_leaf=max(further, bound + least - smallest))


def _sharded(recipe: Recipe, shards: int) -> Recipe:
    """The recipe of the whole model: where they take several workers, one booster of all of them."""
    return recipe if shards == 1 else replace(recipe, shards=shards, row_share=1.0, beside=())


def _told(rows: TrainingRows, margins: NDArray[np.float64], fold: int) -> dict[str, float]:
    held = rows.fold == fold
    labels = rows.labels[held]
    told = {"fold": fold, "rows": len(labels), "positives": int(np.sum(labels)), "auc": auc(labels, margins[held])}
    return {name: value for name, value in told.items() if not np.isnan(value)}


def _only(rows: TrainingRows, keep: NDArray[np.bool_]) -> TrainingRows:
    if keep.all():
        return rows
    return replace(rows, features=rows.features[keep], labels=rows.labels[keep], fold=rows.fold[keep])


def _all_constant(features: Any) -> bool:
    missing = np.isnan(features)
    filled = np.where(missing, 0.0, features)
    return bool(np.all((np.ptp(filled, axis=0) == 0) & (missing.all(axis=0) | ~missing.any(axis=0))))
