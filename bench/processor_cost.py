"""What an act costs the processor."""

from __future__ import annotations

import time
from collections.abc import Callable

RUNS = 5


def cost_us(act: Callable[[int], object], times: int) -> float:
    """The least of some runs, in microseconds of this process and the system for it."""
    best = float("inf")
    for _ in range(RUNS):
        begin = time.process_time()
        for number in range(times):
            act(number % 500)
        best = min(best, (time.process_time() - begin) / times)
    return best * 1e6
