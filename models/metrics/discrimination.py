"""Metrics of discrimination in numpy alone; ``labels`` are 0/1 (n,), 1 = defaulted, and a higher score is a higher
risk.

Intervals are 95 % percentile intervals by bootstrap over *subjects* (Field and Welsh 2007, clustered data): the days of
one subject are not independent, and an interval over rows would be too narrow.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Array = NDArray[Any]
DRAWS = 400
SEED = 20_260_101


@dataclass(frozen=True, slots=True)
class Interval:
    """A figure with its 95 % percentile interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class _Ranked:
    """Scores ranked once, so that a weighted AUC takes one pass."""

    place: NDArray[np.int64]
    labels: Floats
    places: int

    @classmethod
    def of(cls, labels: Array, scores: Array) -> _Ranked:
        values, place = np.unique(np.asarray(scores, dtype=np.float64), return_inverse=True)
        return cls(place.astype(np.int64), np.asarray(labels, dtype=np.float64), len(values))

    def auc(self, weights: Floats) -> float:
        bad = np.bincount(self.place, weights=weights * self.labels, minlength=self.places)
        good = np.bincount(self.place, weights=weights * (1.0 - self.labels), minlength=self.places)
        pairs = bad.sum() * good.sum()
        return float(np.sum(bad * (np.cumsum(good) - good / 2.0)) / pairs) if pairs else float("nan")


def auc(labels: Array, scores: Array) -> float:
    """Area under the ROC curve: the share of pairs in which the defaulted subject scores higher; a tie counts half.

    NaN when all labels are equal.
    """
    return _Ranked.of(labels, scores).auc(np.ones(len(labels)))


def auc_interval(labels: Array, scores: Array, groups: Array | None = None) -> Interval:
    """AUC with its interval; ``groups`` (n,) names the subject of each row (None: every row is a subject)."""
    ranked = _Ranked.of(labels, scores)
    drawn = np.array([ranked.auc(weights) for weights in _draws(len(labels), groups)])
    low, high = np.nanpercentile(drawn, [2.5, 97.5]) if not np.all(np.isnan(drawn)) else (np.nan, np.nan)
    return Interval(auc(labels, scores), float(low), float(high))


def auc_gain(labels: Array, scores: Array, others: Array, groups: Array | None = None) -> tuple[Interval, float]:
    """AUC of ``scores`` minus that of ``others`` on the same bootstrap draws, and the share of draws in which it is
    above 0."""
    ranked, ranked_others = _Ranked.of(labels, scores), _Ranked.of(labels, others)
    gains = np.array([ranked.auc(w) - ranked_others.auc(w) for w in _draws(len(labels), groups)])
    gains = gains[~np.isnan(gains)]
    low, high = np.percentile(gains, [2.5, 97.5])
    return Interval(auc(labels, scores) - auc(labels, others), float(low), float(high)), float(np.mean(gains > 0))


def _draws(rows: int, groups: Array | None) -> Any:
    random = np.random.default_rng(SEED)
    index = np.arange(rows) if groups is None else np.unique(groups, return_inverse=True)[1]
    count = int(index.max()) + 1
    for _ in range(DRAWS):
        drawn = np.bincount(random.integers(0, count, count), minlength=count)
        yield drawn[index].astype(np.float64)


def roc(labels: Array, scores: Array, maximum: int = 100) -> tuple[Floats, Floats]:
    """False and true positive rates of the ROC curve, from (0, 0) to (1, 1), thinned to at most ``maximum`` points."""
    values, place = np.unique(-np.asarray(scores, dtype=np.float64), return_inverse=True)
    bad = np.bincount(place, weights=np.asarray(labels, dtype=np.float64), minlength=len(values))
    good = np.bincount(place, minlength=len(values)) - bad
    true = np.concatenate([[0.0], np.cumsum(bad) / max(bad.sum(), 1.0)])
    false = np.concatenate([[0.0], np.cumsum(good) / max(good.sum(), 1.0)])
    keep = np.unique(np.linspace(0, len(true) - 1, min(maximum, len(true))).round().astype(int))
    return false[keep], true[keep]


def ks(labels: Array, scores: Array) -> float:
    """Kolmogorov–Smirnov distance between the scores of the two classes: the largest difference of TPR and FPR."""
    false, true = roc(labels, scores, maximum=len(labels) + 1)
    return float(np.max(np.abs(true - false)))


def brier(labels: Array, probability: Array) -> float:
    """Mean squared difference between probability and outcome (Brier 1950)."""
    return float(np.mean((np.asarray(probability) - np.asarray(labels)) ** 2))
