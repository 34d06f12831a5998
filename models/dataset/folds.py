"""Cross-validation folds: by subject, or by period of time."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from credit.canonical import digest


def fold_of(subject: str, folds: int) -> int:
    """The fold of a subject, computed from its pseudonym alone: the same for every day and in every sample."""
    return int(digest(subject.encode())[:8], 16) % folds


def folds_by_period(as_of: NDArray[np.datetime64], out_of_time: NDArray[np.bool_], folds: int) -> NDArray[np.int16]:
    """Folds (n,) that are periods of time with about equal numbers of rows; all rows of a day are in one fold.

    Rows out of time, which need no fold, are in the last one. With fewer days than folds there are as many folds as
    days.
    """
    days, counts = np.unique(as_of[~out_of_time], return_counts=True)
    middle = np.cumsum(counts) - counts / 2
    stretch = np.unique(np.floor(middle / counts.sum() * folds), return_inverse=True)[1]
    place = np.minimum(np.searchsorted(days, as_of), len(days) - 1)
    return np.asarray(stretch[place], dtype=np.int16)
