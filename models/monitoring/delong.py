"""AUC with its variance from one sample (DeLong et al. 1988; computed by ranks, Sun and Xu 2014)."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import stats

Array = NDArray[Any]


class MeasuredAuc(NamedTuple):
    """``auc`` and its standard error from ``positives`` defaulted and ``negatives`` other subjects."""

    auc: float
    error: float
    positives: int
    negatives: int


def measured_auc(labels: Array, scores: Array) -> MeasuredAuc:
    """The AUC of 0/1 labels (n,) by scores (n,); NaN with fewer than two subjects of either kind. A tie counts half."""
    bad = np.asarray(labels, dtype=np.float64) == 1
    values = np.asarray(scores, dtype=np.float64)
    m, n = int(bad.sum()), int((~bad).sum())
    if m < 2 or n < 2:
        return MeasuredAuc(float("nan"), float("nan"), m, n)
    ranks = stats.rankdata(values)
    above = (ranks[bad] - stats.rankdata(values[bad])) / n  # of each defaulted subject: the share of others it exceeds
    below = 1 - (ranks[~bad] - stats.rankdata(values[~bad])) / m
    variance = above.var(ddof=1) / m + below.var(ddof=1) / n
    return MeasuredAuc(float(above.mean()), float(np.sqrt(variance)), m, n)
