"""Mondrian: the population is halved again and again, until no half could be halved with k members on either side.

After LeFevre, DeWitt and Ramakrishnan, "Mondrian multidimensional k-anonymity" (ICDE 2006), with another choice of the
column to halve by: the one whose halving lowers the squared distance to the group means most, over all columns
together. On the invented city this loses half as much as the column with the largest spread.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from credit.errors import Refused

Floats = NDArray[np.float64]
_NOTHING = 1e-12  # a gain below this is rounding


def mondrian(points: Floats, k: int) -> NDArray[np.int64]:
    """The group (n,) of each of the points (n, C); every group has at least ``k`` members, numbered from 0.

    The same points give the same groups. Raises :class:`Refused` for fewer than ``k`` points.
    """
    if len(points) < k:
        raise Refused("rows.fewer-than-k", k=k)
    groups = np.zeros(len(points), dtype=np.int64)
    count, waiting = 0, [np.arange(len(points))]
    while waiting:
        members = waiting.pop()
        halves = _halved(points, members, k)
        if halves is None:
            groups[members] = count
            count += 1
        else:
            waiting += halves
    return groups


def _halved(points: Floats, members: NDArray[np.int64], k: int) -> list[NDArray[np.int64]] | None:
    """The members in two parts of at least ``k``, or None when no column parts them so."""
    if len(members) < 2 * k:
        return None
    values = points[members]
    gains = _gains(values, k)
    for column in np.argsort(-gains, kind="stable"):
        if gains[column] > _NOTHING:
            border = _border(values[:, column], k)
            if border is not None:
                low = values[:, column] <= border
                return [members[~low], members[low]]
    spread = values.max(axis=0) - values.min(axis=0)  # a halving at the median may not help where another place parts
    for column in np.argsort(-spread, kind="stable"):
        border = _border(values[:, column], k) if spread[column] > 0 else None
        if border is not None:
            low = values[:, column] <= border
            return [members[~low], members[low]]
    return None


def _gains(values: Floats, k: int) -> Floats:
    """For each column (C,): by how much halving at its median lowers the squared distance to the means, 0 if not."""
    count = len(values)
    median = np.median(values, axis=0)
    upto, below = values <= median, values < median
    nearer = np.abs(below.sum(axis=0) - count / 2) < np.abs(upto.sum(axis=0) - count / 2)
    low = np.where(nearer, below, upto)
    few, many = low.sum(axis=0), count - low.sum(axis=0)
    sums, total = low.T.astype(np.float64) @ values, values.sum(axis=0)
    parts = sums**2 / np.maximum(few, 1)[:, None] + (total - sums) ** 2 / np.maximum(many, 1)[:, None]
    gain = parts.sum(axis=1) - float(total @ total) / count
    return np.asarray(np.where((few >= k) & (many >= k), gain, 0.0), dtype=np.float64)


def _border(values: Floats, k: int) -> float | None:
    """The border between two neighbouring values that is nearest to the median with ``k`` values on either side."""
    ordered = np.sort(values)
    below = np.flatnonzero(ordered[1:] > ordered[:-1]) + 1  # how many values lie below each possible border
    below = below[(below >= k) & (below <= len(ordered) - k)]
    if not len(below):
        return None
    place = int(below[np.argmin(np.abs(below - len(ordered) / 2))])
    return float(ordered[place - 1])
