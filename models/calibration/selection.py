"""Which calibration map a version uses. It is selected on rows that the maps were not fitted on, and not on holdout
rows.

The margins are out of fold. For each fold the maps are fitted on the margins of the other folds and predict this fold
(cross-fitting), so the selection favours no map, and rows out of time stay unused for the promotion gate. Log-loss
decides. The simplest map stays unless a more flexible one is better by more than one standard error of the paired
difference over subjects (Breiman, Friedman, Olshen and Stone 1984, section 3.4.3): a small sample keeps the line.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from credit.errors import Refused
from models.calibration.fitting import FITS
from models.calibration.maps import CalibrationMap
from models.metrics.calibration import measure
from models.metrics.logistic_regression import sigmoid

Array = NDArray[Any]
Floats = NDArray[np.float64]
BEST = "best"


@dataclass(frozen=True, slots=True)
class CalibrationChoice:
    """The selected map; every map as fitted on all rows; the cross-fitted figures of each map, empty when there are
    none."""

    selected: CalibrationMap
    fitted: dict[str, CalibrationMap]
    cross_fitted: dict[str, dict[str, float]]

    def as_evidence(self, labels: Array | None = None, raw: Array | None = None) -> dict[str, dict[str, Any]]:
        """By kind: ``taken`` (selected or not), ``cross_fitted`` figures, and ``out_of_time`` figures on later rows,
        or None."""
        return {
            kind: {
                "taken": kind == self.selected.kind,
                "cross_fitted": self.cross_fitted.get(kind),
                "out_of_time": None if labels is None or raw is None else figures(labels, calibration.log_odds(raw)),
            }
            for kind, calibration in self.fitted.items()
        }


def select_calibration(
    labels: Array, raw: Array, fold: Array, subjects: Sequence[str], requested: str, least_rows: int
) -> CalibrationChoice:
    """Select a map on out-of-fold margins ``raw`` (n,); ``requested`` is a kind, or "best". Deterministic.

    Raises :class:`Refused` when the margins do not rank the subjects.
    """
    fitted = {kind: fit(labels, raw, least_rows) for kind, fit in FITS.items()}
    try:
        odds = {kind: cross_fit(kind, labels, raw, fold, least_rows) for kind in fitted}
    except Refused:  # too few rows for cross-fitting
        return CalibrationChoice(fitted["platt" if requested == BEST else requested], fitted, {})
    losses = {kind: log_losses(labels, figures_by_kind) for kind, figures_by_kind in odds.items()}
    selected, *freer = fitted
    for kind in freer:
        gain, error = paired_difference(losses[selected] - losses[kind], subjects)
        if gain > error:
            selected = kind
    figures_by_kind = {kind: figures(labels, each) for kind, each in odds.items()}
    return CalibrationChoice(fitted[selected if requested == BEST else requested], fitted, figures_by_kind)


def cross_fit(kind: str, labels: Array, raw: Array, fold: Array, least_rows: int) -> Floats:
    """Log-odds (n,) of each row, from a map of this kind that was fitted on the other folds."""
    odds = np.empty(len(raw))
    for number in np.unique(fold):
        in_fold = fold == number
        odds[in_fold] = FITS[kind](labels[~in_fold], raw[~in_fold], least_rows).log_odds(raw[in_fold])
    return odds


def log_losses(labels: Array, odds: Floats) -> Floats:
    """The log-loss (n,) of each row."""
    return np.asarray(np.logaddexp(0, np.where(np.asarray(labels) > 0, -odds, odds)), dtype=np.float64)


def paired_difference(differences: Floats, subjects: Sequence[str]) -> tuple[float, float]:
    """The mean difference and its standard error, clustered by subject (Liang and Zeger 1986)."""
    mean = float(np.mean(differences))
    _, place = np.unique(np.asarray(subjects), return_inverse=True)
    sums = np.bincount(place, weights=differences - mean)
    correction = len(sums) / max(1, len(sums) - 1)
    return mean, float(np.sqrt(correction * np.sum(sums**2)) / len(differences))


def figures(labels: Array, odds: Floats) -> dict[str, float]:
    """``log_loss, brier, ece`` of log-odds (n,)."""
    probability = sigmoid(odds)
    return {
        "log_loss": float(np.mean(log_losses(labels, odds))),
        "brier": float(np.mean((probability - labels) ** 2)),
        "ece": measure(labels, probability)["ece"],
    }
