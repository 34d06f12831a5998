"""The only file that imports optbinning: a feature cut into monotone bins, and the weight of evidence (证据权重) of
each.

Optimal binning by constraint programming (Navas-Palencia 2020): among the cuts whose default rates only rise, or only
fall, the one with the largest information value. Missing values are one bin. The weight of evidence of a bin is ln
of its
share of the good over its share of the bad (Siddiqi, Credit Risk Scorecards, 2006, chapter 6): more is better.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
TRENDS = {1: "ascending", -1: "descending", 0: "auto_asc_desc"}  # of the default rate, by the declared direction
MINIMUM_SHARE = 0.01  # of the rows in a bin; the usual 0.05 loses flags that few subjects have (up to 2 points of AUC)
PREBINS = 20
SECONDS = 60  # for one feature, which takes hundredths: a limit that is reached would make the result random


@dataclass(frozen=True, slots=True)
class FeatureBins:
    """The bins of a feature: [-inf, splits[0]), [splits[0], splits[1]) … and, last, missing values."""

    splits: tuple[float, ...]
    woe: tuple[float, ...]  # (bins,)
    rows: tuple[int, ...]
    information_value: float

    def weights(self, values: Floats) -> Floats:
        """The weight of evidence of each value (n,)."""
        return np.array(self.woe)[_bin_index(values, self.splits)]


def cut_bins(values: Floats, labels: NDArray[Any], direction: int, minimum: int) -> FeatureBins:
    """Bins of at least ``minimum`` rows, of values (n,) with NaN and 0/1 labels (n,).

    Missing values with fewer rows than that have weight 0: there are too few to estimate, and too few to publish.
    """
    known = ~np.isnan(values)
    splits = _splits(values[known], labels[known], direction, max(minimum, int(np.ceil(MINIMUM_SHARE * len(values)))))
    place, count = _bin_index(values, splits), len(splits) + 2
    rows = np.bincount(place, minlength=count)
    bad = np.bincount(place, weights=labels, minlength=count)
    bad_share = np.maximum(bad, 0.5) / max(bad.sum(), 1.0)
    good_share = np.maximum(rows - bad, 0.5) / max((rows - bad).sum(), 1.0)
    published = rows >= minimum
    woe = np.where(published, np.log(good_share / bad_share), 0.0)
    value = float(np.sum((good_share - bad_share) * woe))
    return FeatureBins(splits, tuple(woe.tolist()), tuple(np.where(published, rows, 0).tolist()), value)


def _bin_index(values: Floats, splits: tuple[float, ...]) -> NDArray[np.intp]:
    return np.where(np.isnan(values), len(splits) + 1, np.searchsorted(np.array(splits), values, side="right"))


def _splits(values: Floats, labels: NDArray[Any], direction: int, minimum: int) -> tuple[float, ...]:
    if len(values) < 2 * minimum or np.ptp(values) == 0 or np.ptp(labels) == 0:
        return ()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # deprecation warnings between the libraries
        # Imported here because it takes seconds, and only this function needs it.
        from optbinning import OptimalBinning  # type: ignore[import-untyped]

        binning = OptimalBinning(
            monotonic_trend=TRENDS[direction],
            max_n_prebins=PREBINS,
            min_prebin_size=minimum / len(values),
            time_limit=SECONDS,
        )
        binning.fit(values, labels)
    return tuple(float(split) for split in binning.splits)
