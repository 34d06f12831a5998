"""The holdout rows of a version, and margins on them from models that have not seen them.

When the order says from which day on rows are out of time, the holdout is those rows, scored by the sealed model.
Otherwise it is every row, scored out of fold by models of the same recipe that were trained without the row's subject.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from models.boosting.booster import baseline_margins
from models.boosting.recipe import Recipe
from models.boosting.search import out_of_fold_margins
from models.dataset.cut_rows import cut_rows, in_time_rows
from models.dataset.matrix import TrainingRows
from models.distributed.ray_cluster import Tasks
from models.metrics.discrimination import auc_interval
from models.scoring.scorer import Scorer

if TYPE_CHECKING:
    from models.dataset.sample import Sample

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class HoldoutScores:
    """n holdout rows. ``raw`` (n,) are margins of models that have not seen the rows; ``by`` says how that was made
    sure."""

    by: str  # "out of time" or "out of fold"
    labels: NDArray[np.int8]
    subjects: NDArray[np.str_]
    as_of: NDArray[np.datetime64]
    features: Floats
    raw: Floats
    baseline: Floats | None  # margins of LightGBM with default settings on the same split
    groups: Mapping[str, NDArray[np.str_]]  # by kind, of each row


def training_rows(sample: Sample, scorer: Scorer) -> TrainingRows:
    """The in-time rows of a sample as arrays, as they are."""
    return in_time_rows(sample, [feature.direction for feature in scorer.card.features])


def out_of_fold_figures(sample: Sample, margins: Floats) -> dict[str, Any]:
    """``rows, auc, auc_low, auc_high`` of out-of-fold margins (n,) of the in-time rows.

    It is shown beside the figure out of time, which counts: the difference is what the passing of time costs.
    """
    late = np.asarray(sample.out_of_time, dtype=np.bool_)
    interval = auc_interval(sample.labels[~late], margins, np.asarray(sample.subjects)[~late])
    return {"rows": len(margins), "auc": interval.value, "auc_low": interval.low, "auc_high": interval.high}


def score_holdout(
    sample: Sample, scorer: Scorer, recipe: Recipe, tasks: Tasks, *, baseline: bool = True
) -> HoldoutScores:
    """Margins of ``scorer`` (made by ``recipe``) on rows of ``sample`` that it has not seen."""
    late = np.asarray(sample.out_of_time, dtype=np.bool_)
    rows = training_rows(sample, scorer)
    baseline_scores: Floats | None = None
    if late.any():
        features = np.asarray(sample.features[late], dtype=np.float64)
        raw, by = scorer.raw(features), "out of time"
        if baseline:
            baseline_scores = tasks.map_tasks(_baseline, [features], shared=rows)[0]
    else:
        late = np.ones(len(sample.labels), dtype=np.bool_)
        features, by = rows.features, "out of fold"
        raw = out_of_fold_margins(cut_rows(rows)[0], recipe, tasks)
        if baseline:
            baseline_scores = np.full(len(raw), np.nan)
            for fold, fold_scores in zip(
                rows.folds, tasks.map_tasks(_baseline_of_fold, rows.folds, shared=rows), strict=True
            ):
                baseline_scores[rows.fold == fold] = fold_scores
    subjects = np.asarray(sample.subjects)[late]
    groups = {kind: np.asarray(values, dtype=np.str_)[late] for kind, values in sample.groups.items()}
    return HoldoutScores(
        by, sample.labels[late], subjects, np.asarray(sample.as_of)[late], features, raw, baseline_scores, groups
    )


def _baseline(rows: TrainingRows, features: Any) -> Floats:
    return baseline_margins(rows.features, rows.labels, features)


def _baseline_of_fold(rows: TrainingRows, fold: int) -> Floats:
    in_fold = rows.fold == fold
    return baseline_margins(rows.features[~in_fold], rows.labels[~in_fold], rows.features[in_fold])
