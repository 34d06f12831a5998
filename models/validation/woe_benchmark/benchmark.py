"""The benchmark: the best readable scorecard on the holdout of a version, and the price of interpretability.

Bins and weights are learned from the rows that the version learned from (a sample of at most ``MAXIMUM_ROWS``, by
subject) and evaluated on the same holdout rows. The price is in points of AUC, of the booster minus the scorecard, with
an interval by bootstrap over subjects on the same draws.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from models.boosting.sharded_folds import subsample_by_subject
from models.dataset.cut_rows import cut_rows
from models.dataset.matrix import TrainingRows
from models.distributed.ray_cluster import Tasks, in_process
from models.metrics.discrimination import auc_gain, auc_interval
from models.privacy.cuts import CutGrid
from models.scoring.scorer import Scorer
from models.validation.evidence import rounded
from models.validation.holdout import HoldoutScores, training_rows
from models.validation.woe_benchmark.bins import FeatureBins, cut_bins
from models.validation.woe_benchmark.woe_scorecard import WoeScorecard, fit_scorecard

if TYPE_CHECKING:
    from models.dataset.sample import Sample

Floats = NDArray[np.float64]
MAXIMUM_ROWS = 100_000  # rows
SMALL_WORK = 500_000  # values
DESCRIPTION = "Monotone WoE scorecard (optbinning, logistic regression) on the same split"
NO_FOLD = -1


def run_benchmark(scorer: Scorer, sample: Sample, holdout: HoldoutScores, minimum: int, tasks: Tasks) -> dict[str, Any]:
    """``what, auc, auc_low, auc_high, learned_rows, features [names], card [{feature, title, weight,
    information_value, bins [{from, to, rows, woe, points}]}], price_of_interpretability {points, low, high}``.

    ``from`` and ``to`` are None at the ends and of what is missing (the last bin); ``rows`` None where they are fewer
    than ``minimum``, the smallest number of rows of a bin.
    """
    whole = training_rows(sample, scorer)
    subjects = np.asarray(sample.subjects)
    known = subjects[~np.asarray(sample.out_of_time, dtype=np.bool_)].tolist()
    keep = subsample_by_subject(known, MAXIMUM_ROWS)
    cut, grid = cut_rows(whole)
    rows = cut.select(keep)
    excluded_folds = [NO_FOLD] if holdout.by == "out of time" else [NO_FOLD, *whole.folds]
    cards = fit_scorecards(rows, grid, excluded_folds, minimum, tasks)
    if holdout.by == "out of time":
        margins = cards[NO_FOLD].margins(holdout.features)
    else:
        margins = np.full(len(holdout.labels), np.nan)
        for fold in whole.folds:
            margins[whole.fold == fold] = cards[fold].margins(whole.features[whole.fold == fold])
    interval = auc_interval(holdout.labels, margins, holdout.subjects)
    price, _ = auc_gain(holdout.labels, holdout.raw, margins, holdout.subjects)
    table = scorecard_table(cards[NO_FOLD], scorer)
    result: dict[str, Any] = rounded(
        {
            "what": DESCRIPTION,
            "auc": interval.value,
            "auc_low": interval.low,
            "auc_high": interval.high,
            "learned_rows": len(rows.labels),
            "features": [each["feature"] for each in table],
            "card": table,
            "price_of_interpretability": {
                "points": 100 * price.value,
                "low": 100 * price.low,
                "high": 100 * price.high,
            },
        }
    )
    return result


def fit_scorecards(
    rows: TrainingRows, grid: CutGrid, excluded_folds: list[int], minimum: int, tasks: Tasks
) -> dict[int, WoeScorecard]:
    """One scorecard for each excluded fold; each feature of each scorecard is binned by its own task.

    Small work runs in this process, because that is faster than loading the libraries in every worker.
    """
    columns = range(rows.features.shape[1])
    work = [(fold, column, minimum) for fold in excluded_folds for column in columns]
    here = len(work) * len(rows.labels) < SMALL_WORK
    bins_by_task = dict(
        zip(work, (in_process() if here else tasks).map_tasks(_cut_feature, work, shared=rows), strict=True)
    )
    cards = {}
    for fold in excluded_folds:
        seen = rows.fold != fold
        bins = [_at_cuts(bins_by_task[fold, column, minimum], grid, column) for column in columns]
        cards[fold] = fit_scorecard(rows.features[seen], rows.labels[seen], bins)
    return cards


def scorecard_table(card: WoeScorecard, scorer: Scorer) -> list[dict[str, Any]]:
    """The scorecard as a table for a credit officer, the features with the most information first."""
    points = card.points(scorer.card.factor, scorer.card.offset)
    table = []
    for column, weight in card.weights.items():
        bins, feature = card.bins[column], scorer.card.features[column]
        ends = [None, *bins.splits, None]
        edges = [*pairwise(ends), (None, None)]
        lines = zip(edges, bins.rows, bins.woe, points[column], strict=True)
        table.append(
            {
                "feature": feature.name,
                "title": feature.title,
                "weight": weight,
                "information_value": bins.information_value,
                "bins": [
                    {"from": low, "to": high, "rows": count or None, "woe": woe, "points": each}
                    for (low, high), count, woe, each in lines
                ],
            }
        )
    return table


def _at_cuts(bins: FeatureBins, grid: CutGrid, column: int) -> FeatureBins:
    """The bins with the cuts of the sample as their splits: the same rows, and no value of a single subject."""
    below = (float(np.nextafter(split, -np.inf)) for split in bins.splits)  # a bin ends before its split
    return replace(bins, splits=tuple(grid.border(column, split) for split in below))


def _cut_feature(rows: TrainingRows, task: tuple[int, int, int]) -> FeatureBins:
    fold, column, minimum = task
    seen = rows.fold != fold
    return cut_bins(rows.features[seen, column], rows.labels[seen], rows.directions[column], minimum)
