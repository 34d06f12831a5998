"""The rules that a cell keeps by itself: enough units, none of them dominant, and no value that all of them share.

Each gives a mask of the cells (C,) that break it. Thresholds come from the policy.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from models.tables.cells.contents import CellContents, Contribution, Floats
from models.tables.policy import TablePolicy

Mask = NDArray[np.bool_]
Rule = Callable[[CellContents, TablePolicy], Mask]
COUNTS = ("count", "subjects")  # contributions of these names, and those that begin so, count rows or units


def too_few_units(contents: CellContents, policy: TablePolicy) -> Mask:
    """Fewer than k units stand in the cell, or behind one of its statistics (none at all behind it is no statistic)."""
    few = contents.sizes < policy.units_at_least
    for each in contents.contributions.values():
        present = np.bincount(contents.cells, weights=each.present, minlength=contents.count)
        few |= (present > 0) & (present < policy.units_at_least)
    return np.asarray(few)


def dominated(contents: CellContents, policy: TablePolicy) -> Mask:
    """A few units have most of a total: the (n,k) rule and the p% rule on what each unit contributes."""
    broken = np.zeros(contents.count, dtype=np.bool_)
    for each in contents.contributions.values():
        for values in (each.values, each.weights):
            if values is None:
                continue
            total, largest = _largest(contents, np.abs(values), max(2, policy.dominance_units))
            top = largest[:, : policy.dominance_units].sum(axis=1)
            rest = total - largest[:, :2].sum(axis=1)
            broken |= (total > 0) & (top > policy.dominance_share_at_most * total)
            broken |= (total > 0) & (rest < policy.p_percent_at_least * largest[:, 0])
    return broken


def alike(contents: CellContents, policy: TablePolicy) -> Mask:
    """All units of a cell share one value of a column, or all but a few where there are two values: zeros as well."""
    broken = np.zeros(contents.count, dtype=np.bool_)
    for name, each in contents.contributions.items():
        if name.startswith(COUNTS):
            continue
        values = _means(each)
        for cell in range(contents.count):
            own = values[contents.cells == cell]
            kinds, counts = np.unique(own[np.isfinite(own)], return_counts=True)
            broken[cell] |= len(kinds) == 1 or (len(kinds) == 2 and counts.min() < policy.units_at_least)
    return broken


RULES: Mapping[str, Rule] = {"units": too_few_units, "dominance": dominated, "zeros": alike}


def _means(contribution: Contribution) -> Floats:
    """One value a unit: its mean, or what it adds; NaN where it has no value. To ten significant digits."""
    values, weights = contribution.values, contribution.weights
    with np.errstate(divide="ignore", invalid="ignore"):
        means = values if weights is None else np.where(weights > 0, values / weights, np.nan)
    return np.array([float(f"{value:.10g}") for value in means])


def _largest(contents: CellContents, magnitudes: Floats, most: int) -> tuple[Floats, Floats]:
    """The total of each cell (C,), and its ``most`` largest contributions (C, most), the largest first."""
    total = np.bincount(contents.cells, weights=magnitudes, minlength=contents.count).astype(np.float64)
    largest = np.zeros((contents.count, most))
    order = np.lexsort((-magnitudes, contents.cells))
    cells = contents.cells[order]
    rank = np.arange(len(order)) - np.searchsorted(cells, cells)
    chosen = rank < most
    largest[cells[chosen], rank[chosen]] = magnitudes[order][chosen]
    return total, largest
