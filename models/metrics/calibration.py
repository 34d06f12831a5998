"""How well probabilities are calibrated, in figures."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.metrics.logistic_regression import logistic_line

Array = NDArray[Any]

BINS = 10


def equal_parts(probability: Array) -> Array:
    """The part (n,) of each row, of ten with equal numbers of rows, by probability."""
    parts = np.zeros(len(probability), dtype=np.int64)
    for number, rows in enumerate(np.array_split(np.argsort(probability, kind="stable"), BINS)):
        parts[rows] = number
    return parts


def bins(labels: Array, probability: Array, parts: Array) -> list[dict[str, float]]:
    """Rows, mean predicted probability and observed default rate of each of the ``parts`` (n,)."""
    p, y = np.asarray(probability, dtype=np.float64), np.asarray(labels, dtype=np.float64)
    return [
        {"rows": int(part.sum()), "predicted": float(p[part].mean()), "observed": float(y[part].mean())}
        for part in (parts == number for number in np.unique(parts))
    ]


def measure(labels: Array, probability: Array, parts: Array | None = None) -> dict[str, Any]:
    """Figures of calibration for 0/1 labels (n,) and probabilities (n,), over ``parts`` (n,) or :func:`equal_parts`.

    ``ece`` is the expected calibration error over the bins; ``ece_noise`` is what a perfectly calibrated
    model would
    show on so few rows (the mean absolute deviation of a binomial); ``slope`` and ``intercept`` are those of the
    logistic
    regression of the outcome on the predicted log-odds (1 and 0 when calibrated); ``ratio`` is observed over expected
    defaults; ``bins`` is the table of :func:`bins`.
    """
    p = np.clip(np.asarray(probability, dtype=np.float64), 1e-12, 1 - 1e-12)
    table = bins(labels, p, equal_parts(p) if parts is None else parts)
    rows = len(p)
    gap = sum(b["rows"] * abs(b["predicted"] - b["observed"]) for b in table) / rows
    noise = sum(np.sqrt(2 / np.pi * b["predicted"] * (1 - b["predicted"]) * b["rows"]) for b in table) / rows
    slope, intercept = logistic_line(np.asarray(labels, dtype=np.float64), np.log(p / (1 - p)))
    ratio = float(np.mean(labels) / np.mean(p))
    figures = {"ece": gap, "ece_noise": noise, "slope": slope, "intercept": intercept, "ratio": ratio}
    return {name: float(value) for name, value in figures.items()} | {"bins": table}
