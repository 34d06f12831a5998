"""The cuts of each feature (切分点), by which every tree splits: round numbers, with enough subjects between two.

LightGBM puts a threshold half-way between two neighbouring values, so a threshold discloses a subject's value. Here the
values are cut first: at most :data:`CELLS` cells with about the same rows each, every cell with at least ``least``
subjects, and each border the shortest decimal number near its place. Trees are then trained on one value a cell, and
their thresholds are written as the borders. No training row moves, so the trees are the same on rows and on cells.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
CELLS = 120  # of a feature, below the 127 bins that the booster makes
_SMALLEST_STEP = 40  # decimals tried before two values count as one


@dataclass(frozen=True, slots=True, eq=False)
class CutGrid:
    """By feature: ``cuts`` ascending, and ``values``, the largest training value of each cell (one more than cuts)."""

    cuts: tuple[Floats, ...]
    values: tuple[Floats, ...]

    @classmethod
    def of(cls, features: Floats, subjects: NDArray[np.int64], least: int) -> CutGrid:
        """The cuts of features (n, F), NaN where missing, whose rows belong to ``subjects`` (n,), numbered from 0."""
        made = [_cut_column(column, subjects, least) for column in np.asarray(features, dtype=np.float64).T]
        return cls(tuple(cuts for cuts, _ in made), tuple(values for _, values in made))

    def coarsened(self, features: Floats) -> Floats:
        """Features (n, F) with one value a cell; missing values stay missing."""
        coarse = np.array(features, dtype=np.float64)
        for column, (cuts, values) in enumerate(zip(self.cuts, self.values, strict=True)):
            known = ~np.isnan(coarse[:, column])
            coarse[known, column] = values[np.searchsorted(cuts, coarse[known, column])]
        return coarse

    def border(self, feature: int, threshold: float) -> float:
        """The cut that separates the same cells as a threshold of a tree trained on coarsened features.

        Infinite where the threshold separates known values from missing ones.
        """
        cell = int(np.searchsorted(self.values[feature], threshold, side="right"))
        cuts = self.cuts[feature]
        if cell == 0:
            return -np.inf
        return float(cuts[cell - 1]) if cell <= len(cuts) else np.inf


def shortest_between(low: float, high: float) -> float | None:
    """The decimal number of fewest digits strictly between two numbers, the nearest to their middle among these.

    None when they are too near for any.
    """
    a, b = Decimal(low), Decimal(high)
    if not a < b:
        return None
    middle = (a + b) / 2
    first = max(abs(a), abs(b)).adjusted() + 1
    for exponent in range(first, min(first, 0) - _SMALLEST_STEP, -1):
        step = Decimal(1).scaleb(exponent)
        below = (middle / step).to_integral_value(ROUND_FLOOR) * step
        for near in sorted((below, below + step), key=lambda each: abs(each - middle)):
            if a < near < b and low < float(near) < high:
                return float(near)
    return None


def _cut_column(column: Floats, subjects: NDArray[np.int64], least: int) -> tuple[Floats, Floats]:
    known = ~np.isnan(column)
    values, units = column[known], subjects[known]
    if not len(values):
        return np.zeros(0), np.zeros(1)
    cuts = _with_enough_subjects(_borders(values), values, units, least)
    largest = np.full(len(cuts) + 1, -np.inf)
    np.maximum.at(largest, np.searchsorted(cuts, values), values)
    return cuts, largest


def _borders(values: Floats) -> Floats:
    """Borders of cells with about equal numbers of rows; a value that many rows have is a cell of its own."""
    distinct, counts = np.unique(values, return_counts=True)
    places = np.arange(1, len(distinct))
    if len(distinct) > CELLS:
        heavy = counts * CELLS > len(values)
        light = np.where(heavy, 0, counts)
        parts = max(1, CELLS - int(heavy.sum()))
        cell = np.floor((np.cumsum(light) - light / 2) / max(1, light.sum()) * parts)
        places = places[heavy[1:] | heavy[:-1] | (np.diff(cell) > 0)]
    ends = np.concatenate([[0], places, [len(distinct)]])
    sizes = np.minimum(places - ends[:-2], ends[2:] - places)  # distinct values of the smaller cell beside the border
    slack = np.maximum(sizes // 4, 0)
    borders = [
        shortest_between(float(distinct[place - 1 - more]), float(distinct[min(place + more, len(distinct) - 1)]))
        for place, more in zip(places.tolist(), slack.tolist(), strict=True)
    ]
    return np.array(sorted({cut for cut in borders if cut is not None}), dtype=np.float64)


def _with_enough_subjects(cuts: Floats, values: Floats, units: NDArray[np.int64], least: int) -> Floats:
    """The cuts without those beside a cell of fewer than ``least`` subjects."""
    _, numbers = np.unique(units, return_inverse=True)
    seen = np.zeros((len(cuts) + 1, int(numbers.max()) + 1), dtype=np.bool_)
    seen[np.searchsorted(cuts, values), numbers] = True
    kept, cells = cuts.tolist(), list(seen)
    sizes = [int(cell.sum()) for cell in cells]
    while kept and min(sizes) < least:
        small = sizes.index(min(sizes))
        left = small == len(kept) or (small > 0 and sizes[small - 1] <= sizes[small + 1])
        cut = small - 1 if left else small
        cells[cut] = cells[cut] | cells[cut + 1]
        sizes[cut] = int(cells[cut].sum())
        del cells[cut + 1], sizes[cut + 1], kept[cut]
    return np.array(kept, dtype=np.float64)
