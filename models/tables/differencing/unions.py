"""A statistic against every union of cells of one table: whether some union differs from it in a few units.

A search over subsets that gives up a branch as soon as k units can no longer be explained: each unit's remainder has to
lie between what the cells not yet decided can add. Exact for contributions on one scale; another scale is tried where
it is that of more than half of the units. A search that grows too large counts as isolating: it fails closed.
"""

from __future__ import annotations

import numpy as np

from models.tables.cells.contents import Floats, Numbers
from models.tables.differencing.alike import TOLERANCE, aligned, most_frequent
from models.tables.differencing.given import Bits, Statistic, count

BUDGET = 4_000  # steps of one search


def candidates(whole: Bits, bits: Bits, k: int) -> Numbers:
    """The places of the cells (rows of ``bits``) that a union near ``whole`` may contain; none when none is near."""
    inside = np.flatnonzero(count(bits & ~whole) < k)
    if not len(inside):
        return inside
    covered = np.bitwise_or.reduce(bits[inside], axis=0)
    return inside if int(count(whole & ~covered)) < k else inside[:0]


def isolating_union(whole: Statistic, cells: list[Statistic], k: int) -> int:
    """The number of units, from 1 to k - 1, that some union of the cells isolates against ``whole``; else 0."""
    units = np.unique(np.concatenate([whole.units, *(each.units for each in cells)]))
    cells = sorted(cells, key=lambda each: -len(each.units))
    parts = np.stack([aligned(each, units) for each in cells])
    target = aligned(whole, units)
    if not (whole.weighted and all(each.weighted for each in cells)):
        parts[:, :, 1], target[:, 1] = 0, 0
    if isolated := _search(target, parts, k):
        return isolated
    with np.errstate(divide="ignore", invalid="ignore"):
        scale = most_frequent(target[:, 0] / parts[:, :, 0].sum(axis=0))
    if np.isfinite(scale) and scale not in (0.0, 1.0):
        parts[:, :, 0] *= scale
        return _search(target, parts, k)
    return 0


def _search(target: Floats, parts: Floats, k: int) -> int:
    above = np.concatenate([np.cumsum(np.maximum(parts, 0)[::-1], axis=0)[::-1], np.zeros((1, *target.shape))])
    below = np.concatenate([np.cumsum(np.minimum(parts, 0)[::-1], axis=0)[::-1], np.zeros((1, *target.shape))])
    slack = TOLERANCE * (np.abs(target) + np.abs(parts).sum(axis=0))
    waiting, steps = [(0, target)], 0
    while waiting:
        place, rest = waiting.pop()
        steps += 1
        if steps > BUDGET:
            return k - 1
        doomed = int(((rest > above[place] + slack) | (rest < below[place] - slack)).any(axis=1).sum())
        if doomed >= k:
            continue
        if place == len(parts):
            if doomed:
                return doomed
            continue
        waiting += [(place + 1, rest), (place + 1, rest - parts[place])]
    return 0
