"""Ranking metrics beside the AUC: the low end of the ROC curve, unequal costs, and the riskiest tenth.

``labels`` are 0/1 (n,), 1 = defaulted; a higher score is a higher risk.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.metrics.discrimination import roc

Array = NDArray[Any]
FALSE_RATE = 0.2
COST_STEPS = 2_000


def partial_auc(labels: Array, scores: Array, maximum_rate: float = FALSE_RATE) -> float:
    """Area under the ROC curve up to a false positive rate, standardised to 0.5 for chance and 1 (McClish 1989)."""
    false, true = roc(labels, scores, maximum=len(labels) + 1)
    at = float(np.interp(maximum_rate, false, true))
    inside = false <= maximum_rate
    x, y = np.append(false[inside], maximum_rate), np.append(true[inside], at)
    area, chance = float(np.trapezoid(y, x)), maximum_rate * maximum_rate / 2
    return 0.5 * (1 + (area - chance) / (maximum_rate - chance))


def h_measure(labels: Array, scores: Array) -> float:
    """H-measure (Hand 2009): 1 minus expected cost over the cost of the best constant answer, costs from Beta(2, 2).

    Unlike for the AUC, the distribution of costs does not depend on the scores. 0 is useless, 1 is perfect.
    """
    false, true = roc(labels, scores, maximum=len(labels) + 1)
    share = float(np.mean(np.asarray(labels, dtype=np.float64)))
    cost = (np.arange(COST_STEPS) + 0.5) / COST_STEPS  # of rejecting a good subject; 1 - cost of accepting a bad one
    weight = 6 * cost * (1 - cost) / COST_STEPS
    hull = _hull(false, true)
    paid = cost * (1 - share) * hull[:, :1] + (1 - cost) * share * (1 - hull[:, 1:])
    constant = np.minimum(cost * (1 - share), (1 - cost) * share)
    return float(1 - np.sum(paid.min(axis=0) * weight) / np.sum(constant * weight))


def lift(labels: Array, scores: Array, part: float = 0.1) -> float:
    """The default rate of the riskiest ``part`` of the rows over the overall default rate; ties count by their
    share."""
    values, place = np.unique(-np.asarray(scores, dtype=np.float64), return_inverse=True)
    rows = np.bincount(place, minlength=len(values)).astype(np.float64)
    bad = np.bincount(place, weights=np.asarray(labels, dtype=np.float64), minlength=len(values))
    wanted = part * len(place)
    share_counted = np.clip(wanted - (np.cumsum(rows) - rows), 0, rows) / rows
    return float(np.sum(bad * share_counted) / wanted / (bad.sum() / len(place)))


def _hull(false: Array, true: Array) -> NDArray[np.float64]:
    """The upper convex hull of the ROC curve (k, 2): only its corners can be the cheapest threshold."""
    corners: list[tuple[float, float]] = []
    for x, y in zip(false.tolist(), true.tolist(), strict=True):
        while len(corners) > 1:
            (a, b), (c, d) = corners[-2], corners[-1]
            if (c - a) * (y - b) - (d - b) * (x - a) < 0:
                break
            corners.pop()
        corners.append((x, y))
    return np.array(corners)
