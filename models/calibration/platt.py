"""Platt scaling (Platt 1999): a line from margin to log-odds, fitted to smoothed targets by Newton's method
(Lin, Lin and Weng 2007).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from credit.errors import Refused
from models.calibration.maps import MINIMUM_MAP_SLOPE, Platt
from models.metrics.logistic_regression import logistic_line

Array = NDArray[Any]


def fit_platt(labels: Array, raw: Array) -> Platt:
    """Fit a line on raw margins (n,) that the model was not trained on, and 0/1 labels (n,).

    Raises :class:`Refused` when the slope is not positive: then the margins do not rank the subjects.
    """
    slope, intercept = logistic_line(smoothed_targets(labels), raw)
    if not slope >= MINIMUM_MAP_SLOPE:
        raise Refused("logistic.model-does-not-rank-subjects")
    return Platt(slope, intercept)


def smoothed_targets(labels: Array) -> NDArray[np.float64]:
    """Platt's targets (n,) for 0/1 labels (n,), slightly inside 0 and 1, so that separable classes have a finite
    fit."""
    bad = float(np.sum(labels))
    return np.where(np.asarray(labels) > 0, (bad + 1) / (bad + 2), 1 / (len(labels) - bad + 2))
