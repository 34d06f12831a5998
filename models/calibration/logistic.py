"""Calibration: from a raw margin to a probability that can be believed, and how far it can be.

Platt scaling with Platt's smoothed targets, fitted by Newton's method (Platt 1999; Lin, Lin and Weng 2007).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from credit.errors import Refused
from models.calibration.maps import GENTLEST, Platt

Array = NDArray[Any]
BINS = 10


def fit_platt(labels: Array, raw: Array) -> Platt:
    """Fit on margins the model was not trained on; raises :class:`Refused` when they do not rank the subjects."""
    slope, intercept = logistic_line(smoothed(labels), raw)
    if not slope >= GENTLEST:
        raise Refused("logistic.model-does-not-rank-subjects")
    return Platt(slope, intercept)


def smoothed(labels: Array) -> NDArray[np.float64]:
    """Platt's targets (n,) for 0/1 labels (n,): a little within 0 and 1, so that what is told apart whole has a fit."""
    bad = float(np.sum(labels))
    return np.where(np.asarray(labels) > 0, (bad + 1) / (bad + 2), 1 / (len(labels) - bad + 2))


def logistic_line(targets: Array, x: Array) -> tuple[float, float]:
    """Slope and intercept of a logistic regression of ``targets`` (n,) in [0, 1] on ``x`` (n,)."""
    center, scale = float(np.mean(x)), float(np.std(x)) or 1.0
    z = (np.asarray(x, dtype=np.float64) - center) / scale
    line, _ = logistic(targets, np.column_stack([z, np.ones_like(z)]))
    return float(line[0] / scale), float(line[1] - line[0] * center / scale)


def logistic(targets: Array, design: Array, offset: Array | float = 0.0) -> tuple[NDArray[np.float64], float]:
    """The line (d,) of least log-loss of ``offset + design @ line``, its last column ones, by damped Newton; the loss.

    ``targets`` (n,) are in [0, 1]; the loss is a sum.
    """
    share = float(np.clip(np.mean(targets), 1e-9, 1 - 1e-9))
    line = np.zeros(design.shape[1])
    line[-1] = np.log(share / (1 - share))
    loss = _loss(offset + design @ line, targets)
    for _ in range(100):
        p = sigmoid(offset + design @ line)
        gradient = design.T @ (p - targets)
        hessian = design.T @ (design * (p * (1 - p))[:, None]) + 1e-10 * np.eye(len(line))
        step = np.linalg.solve(hessian, gradient)
        length = 1.0
        while (new := _loss(offset + design @ (line - length * step), targets)) > loss and length > 1e-8:
            length /= 2
        line, gain, loss = line - length * step, loss - new, new
        if gain < 1e-12 * len(design):
            break
    return line, loss


def sigmoid(x: Array) -> NDArray[np.float64]:
    """1 / (1 + exp(-x)) without overflow."""
    return np.asarray(np.where(x >= 0, 1 / (1 + np.exp(-np.abs(x))), 1 - 1 / (1 + np.exp(-np.abs(x)))))


def _loss(margin: Array, targets: Array) -> float:
    return float(np.sum(np.logaddexp(0, margin) - targets * margin))


def bins(labels: Array, probability: Array) -> list[dict[str, float]]:
    """Rows in ten equal parts by probability: how many, the mean predicted and the observed share of each."""
    order = np.argsort(probability, kind="stable")
    parts = [part for part in np.array_split(order, BINS) if len(part)]
    p, y = np.asarray(probability, dtype=np.float64), np.asarray(labels, dtype=np.float64)
    return [
        {"rows": len(part), "predicted": float(p[part].mean()), "observed": float(y[part].mean())} for part in parts
    ]


def measure(labels: Array, probability: Array) -> dict[str, Any]:
    """Calibration in figures.

    ``ece`` is the expected calibration error over equal-count bins, ``ece_noise`` what a perfectly calibrated model
    would show on so few rows (mean absolute deviation of a binomial), ``slope`` and ``intercept`` those of the logistic
    regression of the outcome on the predicted log-odds (1 and 0 when right), ``ratio`` observed over expected.
    """
    p = np.clip(np.asarray(probability, dtype=np.float64), 1e-12, 1 - 1e-12)
    table = bins(labels, p)
    rows = len(p)
    gap = sum(b["rows"] * abs(b["predicted"] - b["observed"]) for b in table) / rows
    noise = sum(np.sqrt(2 / np.pi * b["predicted"] * (1 - b["predicted"]) * b["rows"]) for b in table) / rows
    slope, intercept = logistic_line(np.asarray(labels, dtype=np.float64), np.log(p / (1 - p)))
    ratio = float(np.mean(labels) / np.mean(p))
    found = {"ece": gap, "ece_noise": noise, "slope": slope, "intercept": intercept, "ratio": ratio}
    return {name: float(value) for name, value in found.items()} | {"bins": table}
