"""Logistic regression by damped Newton's method, and the logistic function."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


def logistic_line(targets: Array, x: Array) -> tuple[float, float]:
    """Slope and intercept of a logistic regression of ``targets`` (n,) in [0, 1] on ``x`` (n,)."""
    center, scale = float(np.mean(x)), float(np.std(x)) or 1.0
    z = (np.asarray(x, dtype=np.float64) - center) / scale
    line, _ = logistic(targets, np.column_stack([z, np.ones_like(z)]))
    return float(line[0] / scale), float(line[1] - line[0] * center / scale)


def logistic(targets: Array, design: Array, offset: Array | float = 0.0) -> tuple[NDArray[np.float64], float]:
    """Coefficients (d,) that minimise the log-loss of ``offset + design @ coefficients``, by damped Newton; and the
    loss.

    ``targets`` (n,) are in [0, 1]; ``design`` is (n, d), its last column all ones; the loss is a sum over the rows.
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
