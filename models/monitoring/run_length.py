"""A sum of evidence over months (CUSUM, Page 1954) and its limit for a wanted run length between false alarms.

S(t) = max(0, S(t-1) + z(t) - k) alarms above h and starts from 0 after an alarm. The mean run length is that of a
Markov chain over cells of S (Brook and Evans 1972), which is right to about one per cent at 120 cells, also for the
large k of a month with many rows, where the usual approximation (Siegmund 1985) is not.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, special

Array = NDArray[Any]
CELLS = 120


def mean_run_length(k: float, h: float, shift: float = 0.0) -> float:
    """Mean months to an alarm from S = 0, when z is normal with mean ``shift`` and standard deviation 1."""
    width = 2 * h / (2 * CELLS - 1)
    centres = np.arange(CELLS) * width  # cell 0 stands for S = 0
    upper = centres[None, :] + width / 2 - centres[:, None] + k - shift
    reached = special.ndtr(upper)
    chances = np.column_stack([reached[:, 0], np.diff(reached, axis=1)])
    return float(np.linalg.solve(np.eye(CELLS) - chances, np.ones(CELLS))[0])


@lru_cache(maxsize=1024)
def sum_limit(k: float, run_length: float) -> float:
    """The h of a one-sided sum with this k, so that unchanged months alarm once in ``run_length`` on average."""
    if mean_run_length(k, 1e-3) >= run_length:
        return 1e-3
    high = 1.0
    while mean_run_length(k, high) < run_length:  # a far larger h would overflow the chain's matrix
        high += 1.0
    return float(optimize.brentq(lambda h: mean_run_length(k, h) - run_length, 1e-3, high, xtol=1e-4))


def summed(z: Array, k: float, h: float) -> tuple[list[float], list[bool]]:
    """S after each of the months z (t,), oldest first, and whether it alarmed in it."""
    value, values, alarms = 0.0, [], []
    for month in np.asarray(z, dtype=np.float64).tolist():
        value = max(0.0, value + month - k)
        values.append(value)
        alarms.append(value > h)
        if value > h:
            value = 0.0
    return values, alarms
