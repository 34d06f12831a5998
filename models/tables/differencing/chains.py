"""Chains of three: whether one statistic is almost the sum of two others, from whichever tables.

It covers a total less its two parts, and by the rule of inclusion and exclusion the intersection of two cells whose
union is near a third. The two may each have a scale of its own, where it is that of most of its units.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from credit.errors import Refused
from models.tables.differencing.alike import TOLERANCE, aligned, most_frequent
from models.tables.differencing.given import GivenStatistics, Statistic, count

MOST = 300_000  # chains that one judgement looks at


def chains(
    given: GivenStatistics, new: np.ndarray[tuple[int], np.dtype[np.bool_]], k: int
) -> Iterator[tuple[int, ...]]:
    """Places (whole, part, part) of chains in which a new statistic stands and which may isolate fewer than k units.

    Raises :class:`Refused` when there are too many to look at.
    """
    seen = 0
    for whole in range(len(given)):
        outside = ~given.bits[whole]
        if not new[whole] and not (count(given.bits[new] & outside) < k).any():
            continue  # no new part: judged when it was given
        inside = np.flatnonzero(count(given.bits & outside) < k)
        inside = inside[inside != whole]
        sizes = given.sizes[inside]
        for place, part in enumerate(inside):
            rest = given.bits[whole] & ~given.bits[part]
            large = np.flatnonzero(sizes[place + 1 :] > int(count(rest)) - k) + place + 1
            if not (new[whole] or new[part]):
                large = large[new[inside[large]]]
            if not len(large):
                continue
            uncovered = count(rest & ~given.bits[inside[large]])
            for other in inside[large[uncovered < k]]:
                seen += 1
                if seen > MOST:
                    raise Refused("tables.too-much-to-judge")
                yield whole, int(part), int(other)


def isolating_chain(whole: Statistic, first: Statistic, second: Statistic, k: int) -> int:
    """The number of units, from 1 to k - 1, in which ``whole`` is not ``first`` and ``second`` together; else 0."""
    units = np.unique(np.concatenate([whole.units, first.units, second.units]))
    target, one, two = (aligned(each, units) for each in (whole, first, second))
    if not (whole.weighted and first.weighted and second.weighted):
        for each in (target, one, two):
            each[:, 1] = 0
    with np.errstate(divide="ignore", invalid="ignore"):
        scales = [most_frequent(target[:, 0] / each[:, 0]) for each in (one, two)]
    tried = [(1.0, 1.0)] + ([(scales[0], scales[1])] if np.isfinite(scales).all() else [])
    for left, right in tried:
        rest = target - one * (left, 1) - two * (right, 1)
        slack = TOLERANCE * (np.abs(target) + np.abs(one * (left, 1)) + np.abs(two * (right, 1)))
        number = int((np.abs(rest) > slack).any(axis=1).sum())
        if number == 0:
            return 0
        if number < k:
            return number
    return 0
