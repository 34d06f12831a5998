"""Three ways to calibrate, fitted on the same out-of-fold margins and compared on rows from later.

Platt's line is what a version carries: its reasons stay exact in log-odds, since a line scales every contribution
alike. Beta calibration (Kull, Silva Filho and Flach 2017) and isotonic regression (Zadrozny and Elkan 2002) stand
beside it, so that a version says what the line costs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.calibration import Platt, measure, sigmoid

Array = NDArray[Any]
Floats = NDArray[np.float64]
Calibrate = Callable[[Array], Floats]  # margins (n,) -> probabilities (n,)
TINY = 1e-9


def compare(platt: Platt, fitted: tuple[Array, Array], judged: tuple[Array, Array]) -> dict[str, dict[str, float]]:
    """``log_loss, brier, ece`` of each way on ``judged``; both are pairs of labels (n,) and margins (n,)."""
    labels, margins = judged
    ways: dict[str, Calibrate] = {
        "platt": lambda raw: sigmoid(platt.log_odds(raw)),
        "beta": fit_beta(*fitted),
        "isotonic": fit_isotonic(*fitted),
    }
    found = {}
    for name, way in ways.items():
        p = np.clip(way(margins), TINY, 1 - TINY)
        loss = -np.mean(np.where(np.asarray(labels) > 0, np.log(p), np.log1p(-p)))
        found[name] = {
            "log_loss": float(loss),
            "brier": float(np.mean((p - labels) ** 2)),
            "ece": measure(labels, p)["ece"],
        }
    return found


def fit_beta(labels: Array, raw: Array) -> Calibrate:
    """``log-odds = a ln s - b ln(1 - s) + c`` of ``s = sigmoid(raw)``, a and b not negative, by projected Newton."""

    def parts(margins: Array) -> Floats:
        return np.column_stack([-np.logaddexp(0, -margins), np.logaddexp(0, margins), np.ones(len(margins))])

    x, y = parts(np.asarray(raw, dtype=np.float64)), np.asarray(labels, dtype=np.float64)
    line = np.array([1.0, 1.0, 0.0])
    free = np.ones(3, dtype=np.bool_)
    for _ in range(200):
        p = sigmoid(x @ line)
        gradient = x.T @ (p - y)
        hessian = x.T @ (x * (p * (1 - p))[:, None]) + 1e-8 * np.eye(3)
        step = np.zeros(3)
        step[free] = np.linalg.solve(hessian[np.ix_(free, free)], gradient[free])
        line = line - step
        if (below := (line[:2] < 0)).any():
            line[:2][below], free[:2][below] = 0.0, False  # the bound holds: what is left is fitted without it
        elif np.abs(step).max() < 1e-10:
            break
    return lambda margins: sigmoid(parts(np.asarray(margins, dtype=np.float64)) @ line)


def fit_isotonic(labels: Array, raw: Array) -> Calibrate:
    """The rising step function nearest to the labels, by pooling adjacent violators; between steps a straight line."""
    values, place = np.unique(np.asarray(raw, dtype=np.float64), return_inverse=True)
    rows = np.bincount(place).astype(np.float64)
    means = np.bincount(place, weights=np.asarray(labels, dtype=np.float64)) / rows
    pooled: list[list[float]] = []  # sum, rows, number of values
    for mean, weight in zip(means, rows, strict=True):
        pooled.append([mean * weight, weight, 1])
        while len(pooled) > 1 and pooled[-2][0] * pooled[-1][1] >= pooled[-1][0] * pooled[-2][1]:
            last = pooled.pop()
            pooled[-1] = [a + b for a, b in zip(pooled[-1], last, strict=True)]
    fitted = np.repeat([total / weight for total, weight, _ in pooled], [int(count) for *_, count in pooled])
    return lambda margins: np.interp(np.asarray(margins, dtype=np.float64), values, fitted)
