"""MDAV: groups of k around the points that are farthest from the middle (Domingo-Ferrer and Mateo-Sanz 2002).

The other well-founded way, against which :mod:`models.rows.partition.mondrian` is measured (``rows_frontier``).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from credit.errors import Refused

Floats = NDArray[np.float64]


def mdav(points: Floats, k: int) -> NDArray[np.int64]:
    """The group (n,) of each of the points (n, C): groups of ``k``, and a last one of ``k`` to 2k - 1.

    Raises :class:`Refused` for fewer than ``k`` points.
    """
    if len(points) < k:
        raise Refused("rows.fewer-than-k", k=k)
    groups = np.full(len(points), -1, dtype=np.int64)
    left, count = np.arange(len(points)), 0
    while len(left) >= 3 * k:
        first = left[np.argmax(_distances(points[left], points[left].mean(axis=0)))]
        other = left[np.argmax(_distances(points[left], points[first]))]
        for centre in (first, other):
            count, left = _group_around(points, left, centre, k, groups, count)
    if len(left) >= 2 * k:
        far = left[np.argmax(_distances(points[left], points[left].mean(axis=0)))]
        count, left = _group_around(points, left, far, k, groups, count)
    groups[left] = count
    return groups


def _group_around(
    points: Floats, left: NDArray[np.int64], centre: np.int64, k: int, groups: NDArray[np.int64], count: int
) -> tuple[int, NDArray[np.int64]]:
    nearest = np.argpartition(_distances(points[left], points[centre]), k - 1)[:k]
    groups[left[nearest]] = count
    return count + 1, np.delete(left, nearest)


def _distances(points: Floats, centre: Floats) -> Floats:
    return np.asarray(((points - centre) ** 2).sum(axis=1), dtype=np.float64)
