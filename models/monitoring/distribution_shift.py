"""Whether the distribution of a score or feature has moved, with a limit that knows the number of subjects.

The statistic is the two-sample χ² over bins of the reference. Its null is not "exactly the same", which no large month
meets, but "a true stability index of at most δ": then it follows a non-central χ² distribution with B - 1 degrees of
freedom and non-centrality δ / (1/n + 1/m) (Potgieter, van Zyl, Schutte and Lombard 2023, arXiv 2307.11878). Rows must
be independent: one row a subject, or the statistic is divided by the design effect (Kish 1965).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

Array = NDArray[Any]
Counts = NDArray[np.float64]
LEAST_IN_BIN = 10.0  # rows of both samples together: below, the χ² distribution is a poor approximation (Cochran 1954)


@dataclass(frozen=True, slots=True)
class ReferenceBins:
    """The deciles of a reference, and a last bin for missing values; ``counts`` are the reference's rows in each."""

    edges: tuple[float, ...]
    counts: tuple[float, ...]

    @classmethod
    def of(cls, values: Array) -> ReferenceBins:
        """The bins of reference values (n,), in which NaN is missing."""
        present = np.asarray(values, dtype=np.float64)
        present = present[~np.isnan(present)]
        edges = np.unique(np.quantile(present, np.arange(1, 10) / 10)) if len(present) else np.empty(0)
        return cls(tuple(edges.tolist()), tuple(_counted(values, edges).tolist()))

    def count(self, values: Array) -> Counts:
        """How many of the values (n,) are in each bin."""
        return _counted(values, np.asarray(self.edges))


@dataclass(frozen=True, slots=True)
class ShiftTest:
    """``index`` is the classic stability index; ``distance`` is what the test compares: χ² · (1/n + 1/m), which is
    close to the index. ``freedom`` and ``noncentrality`` give the distribution of χ² at the tolerated index."""

    rows: int
    index: float
    statistic: float
    scale: float
    freedom: int
    noncentrality: float

    @property
    def distance(self) -> float:
        """The moved share in the units of the stability index."""
        return self.statistic * self.scale

    @property
    def p(self) -> float:
        """The chance of such a month, or a worse one, when the true index is the tolerated one."""
        return float(stats.ncx2.sf(self.statistic, self.freedom, self.noncentrality)) if self.freedom else 1.0

    def limit(self, share: float) -> float:
        """The distance that an unchanged month exceeds with a chance of ``share``."""
        if not self.freedom:
            return float("inf")
        return _quantile(share, self.freedom, self.noncentrality) * self.scale


def shift_test(expected: Counts, actual: Counts, tolerated: float, design_effect: float = 1.0) -> ShiftTest:
    """The test of a month's counts against a reference's, both by bin (B,), at a ``tolerated`` index above 0."""
    before, now = _merged(np.asarray(expected, dtype=np.float64), np.asarray(actual, dtype=np.float64))
    m, n = before.sum(), now.sum()
    if not m or not n:
        return ShiftTest(int(n), 0.0, 0.0, 0.0, 0, 0.0)
    scale = float(1 / n + 1 / m) * design_effect
    difference, pooled = now / n - before / m, (now + before) / (n + m)
    statistic = float(np.sum(difference**2 / pooled)) / scale
    e, a = np.maximum(before, 0.5) / m, np.maximum(now, 0.5) / n
    index = float(np.sum((a - e) * np.log(a / e)))
    return ShiftTest(int(n), index, statistic, scale, len(now) - 1, tolerated / scale)


def missing_test(expected: Counts, actual: Counts, tolerated: float, design_effect: float = 1.0) -> ShiftTest:
    """The same test of two bins, present and missing; ``tolerated`` is a change of the share, not an index."""
    pairs = [np.array([counts[:-1].sum(), counts[-1]]) for counts in (expected, actual)]
    m, n = (pair.sum() for pair in pairs)
    share = float((pairs[0][1] + pairs[1][1] + 1) / (m + n + 2))
    return shift_test(pairs[0], pairs[1], tolerated**2 / (share * (1 - share)), design_effect)


@lru_cache(maxsize=1024)
def _quantile(share: float, freedom: int, noncentrality: float) -> float:
    return float(stats.ncx2.isf(share, freedom, noncentrality))


def _counted(values: Array, edges: Array) -> Counts:
    plain = np.asarray(values, dtype=np.float64)
    missing = np.isnan(plain)
    places = np.digitize(plain[~missing], edges)
    return np.append(np.bincount(places, minlength=len(edges) + 1), missing.sum()).astype(np.float64)


def _merged(before: Counts, now: Counts) -> tuple[Counts, Counts]:
    """Both counts with every bin of fewer than :data:`LEAST_IN_BIN` rows merged into the one before it."""
    merged: list[list[float]] = []
    for pair in zip(before.tolist(), now.tolist(), strict=True):
        if merged and (sum(pair) < LEAST_IN_BIN or sum(merged[-1]) < LEAST_IN_BIN):
            merged[-1] = [merged[-1][0] + pair[0], merged[-1][1] + pair[1]]
        else:
            merged.append(list(pair))
    both = np.array(merged, dtype=np.float64)
    return both[:, 0], both[:, 1]
