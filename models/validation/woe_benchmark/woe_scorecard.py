"""A scorecard (评分卡): a logistic regression on weights of evidence in which every weight has the expected sign.

Features with little information (value under 0.02, Siddiqi 2006, table 6.2) are left out, and so are those that
repeat a
stronger one. A negative weight would reverse a feature's meaning: the most negative one is dropped and all weights are
fitted again, until there is none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.validation.woe_benchmark.bins import FeatureBins

Floats = NDArray[np.float64]
MINIMUM_INFORMATION = 0.02
MAXIMUM_CORRELATION = 0.8
RIDGE = 1.0  # penalty: half the sum of squared weights
STEPS, CLOSE = 50, 1e-10


@dataclass(frozen=True, slots=True)
class WoeScorecard:
    """ln odds of being good = intercept + Σ weight × weight of evidence, over the selected features (by column)."""

    intercept: float
    weights: Mapping[int, float]
    bins: Mapping[int, FeatureBins]

    def margins(self, features: Floats) -> Floats:
        """ln odds of default (n,) of features (n, F)."""
        good = np.full(len(features), self.intercept)
        for column, weight in self.weights.items():
            good += weight * self.bins[column].weights(features[:, column])
        return -good

    def points(self, factor: float, offset: float) -> dict[int, list[float]]:
        """Points of each bin, by feature; the intercept is divided among them, so a subject's points are a plain
        sum."""
        share = (offset + factor * self.intercept) / max(1, len(self.weights))
        return {
            column: [round(share + factor * weight * woe, 2) for woe in self.bins[column].woe]
            for column, weight in self.weights.items()
        }


def fit_scorecard(features: Floats, labels: NDArray[Any], bins: Sequence[FeatureBins]) -> WoeScorecard:
    """Fit the scorecard of these bins (F) on features (n, F) and 0/1 labels (n,)."""
    strongest = sorted(range(len(bins)), key=lambda column: (-bins[column].information_value, column))
    informed = [column for column in strongest if bins[column].information_value >= MINIMUM_INFORMATION]
    evidence = {column: bins[column].weights(features[:, column]) for column in informed}
    selected: list[int] = []
    for column in informed:
        if all(abs(np.corrcoef(evidence[column], evidence[other])[0, 1]) <= MAXIMUM_CORRELATION for other in selected):
            selected.append(column)
    while True:
        design = np.column_stack([np.ones(len(labels)), *(evidence[column] for column in selected)])
        intercept, *weights = _logistic(design, 1.0 - np.asarray(labels, dtype=np.float64)).tolist()
        if not weights or min(weights) >= 0.0:
            weights_by_column = dict(zip(selected, weights, strict=True))
            return WoeScorecard(intercept, weights_by_column, {column: bins[column] for column in selected})
        selected.pop(int(np.argmin(weights)))


def _logistic(design: Floats, good: Floats) -> Floats:
    """Coefficients (K,) by Newton's method; the first, of the constant, has no ridge penalty.

    A step that would overshoot, as a first one does where few rows decide, is halved until the loss falls: the loss is
    convex, so some step does.
    """
    ridge = np.full(design.shape[1], RIDGE)
    ridge[0] = 0.0
    weights = np.zeros(design.shape[1])
    weights[0] = np.log(good.sum() / (len(good) - good.sum()))

    def loss(at: Floats) -> float:
        odds = design @ at
        return float(np.logaddexp(0.0, odds).sum() - good @ odds + 0.5 * ridge @ at**2)

    here = loss(weights)
    for _ in range(STEPS):
        chance = np.exp(-np.logaddexp(0.0, -(design @ weights)))
        slope = design.T @ (good - chance) - ridge * weights
        curve = (design * (chance * (1.0 - chance))[:, None]).T @ design + np.diag(ridge)
        step = np.linalg.solve(curve, slope)
        there = loss(weights + step)
        while there > here + 1e-9 * abs(here) and float(np.max(np.abs(step))) >= CLOSE:
            step = step / 2.0
            there = loss(weights + step)
        weights, here = weights + step, there
        if float(np.max(np.abs(step))) < CLOSE:
            break
    return weights
