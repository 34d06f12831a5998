"""How many units two statistics differ in: after taking away a common scale and a common shift.

A sum in yuan and one in thousands, or one of ``x`` and one of ``x + 7``, are the same statistic to a person who
subtracts them. So what counts is the number of units whose contributions do not lie on the line that most of them
lie on.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from models.tables.cells.contents import Floats, Numbers
from models.tables.differencing.given import Statistic

TOLERANCE = 1e-9  # relative: contributions are sums of the same numbers in another order
_STEPS = (1, 2, 3, 5, 7)


def differing(first: Statistic, second: Statistic, k: int) -> int:
    """The number of units, from 1 to k - 1, that first and second isolate when compared; 0 when they isolate none.

    Lines tried: equal, one scale, one shift, and one scale with a shift, each found as the most frequent. Exact for
    equal contributions; a scale or shift is found where it fits more than half of the units.
    """
    units = np.union1d(first.units, second.units)
    x, y = aligned(first, units), aligned(second, units)
    both = np.isin(units, first.units, assume_unique=True) & np.isin(units, second.units, assume_unique=True)
    if not both.any() or int((~both).sum()) >= k:
        return 0
    weights_differ = (
        (x[:, 1] != y[:, 1]) if first.weighted and second.weighted else np.zeros(len(units), dtype=np.bool_)
    )
    for scale, shift in _lines(x[both, 0], y[both, 0]):
        unlike = _unlike(y[:, 0], scale * x[:, 0] + shift) | ~both | weights_differ
        number = int(unlike.sum())
        if number == 0:
            return 0
        if number < k:
            return number
    return 0


def aligned(statistic: Statistic, units: Numbers) -> Floats:
    """The values (n, 2) of a statistic for each of these units, in ascending order; 0 for one that is not behind it."""
    values = np.zeros((len(units), 2))
    values[np.searchsorted(units, statistic.units)] = statistic.values
    return values


def most_frequent(values: Floats) -> float:
    """The value that most of these are, to nine significant digits; NaN without any."""
    finite = values[np.isfinite(values)]
    if not len(finite):
        return float("nan")
    exponent = np.floor(np.log10(np.abs(finite), where=finite != 0, out=np.zeros_like(finite)))
    power = 10.0 ** np.clip(8 - exponent, -300, 300)
    rounded = np.round(finite * power) / power
    kinds, places, counts = np.unique(rounded, return_inverse=True, return_counts=True)
    return float(np.median(finite[places == int(np.argmax(counts))])) if len(kinds) else float("nan")


def _lines(x: Floats, y: Floats) -> Iterator[tuple[float, float]]:
    yield 1.0, 0.0
    with np.errstate(divide="ignore", invalid="ignore"):
        scale = most_frequent(y / x)
        if np.isfinite(scale) and scale != 0:
            yield scale, 0.0
        yield 1.0, most_frequent(y - x)
        slopes = [(y[step:] - y[:-step]) / (x[step:] - x[:-step]) for step in _STEPS if len(x) > step]
        slope = most_frequent(np.concatenate(slopes)) if slopes else float("nan")
    if np.isfinite(slope) and slope != 0:
        yield slope, most_frequent(y - slope * x)


def _unlike(value: Floats, other: Floats) -> NDArray[np.bool_]:
    return np.asarray(np.abs(value - other) > TOLERANCE * np.maximum(np.abs(value), np.abs(other)))
