"""Calibration: from a raw margin to a probability that can be believed, and how far it can be.

Platt scaling with Platt's smoothed targets, fitted by Newton's method (Platt 1999; Lin, Lin and Weng 2007).
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
    """Fit on margins the model was not trained on; raises :class:`Refused` when they do not rank the subjects."""
    slope, intercept = logistic_line(smoothed_targets(labels), raw)
    if not slope >= MINIMUM_MAP_SLOPE:
        raise Refused("logistic.model-does-not-rank-subjects")
    return Platt(slope, intercept)


def smoothed_targets(labels: Array) -> NDArray[np.float64]:
    """Platt's targets (n,) for 0/1 labels (n,): a little within 0 and 1, so that what is told apart whole has a fit."""
    bad = float(np.sum(labels))
    return np.where(np.asarray(labels) > 0, (bad + 1) / (bad + 2), 1 / (len(labels) - bad + 2))
