"""Refusals of a crowd: of callers whom nobody knows, and of a bank beyond its quota, each minute's first are entries of
their own, and the rest are counted in one.

So whoever only knocks can fill neither the disk nor the time it has, and nothing is left out. A process that is killed
loses the count of its last minute.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

MOST, SECONDS = 60, 60.0
COUNTED = "refusals.counted"  # in the ledger
NOBODY = ""  # who calls without being known


@dataclass(slots=True)
class _Minute:
    began: float
    taken: int = 0
    counted: Counter[int] = field(default_factory=Counter)


class Crowd:
    """One process's count, by bank and for all the unknown together."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Nobody was refused yet."""
        self._clock, self._minutes = clock, dict[str, _Minute]()

    def takes(self, who: str, status: int) -> bool:
        """Whether this refusal is an entry of its own; when not it is counted."""
        now = self._clock()
        minute = self._minutes.setdefault(who, _Minute(now))
        if now - minute.began >= SECONDS:
            minute.began, minute.taken = now, 0
        minute.taken += 1
        if minute.taken <= MOST:
            return True
        minute.counted[status] += 1
        return False

    def counted(self) -> list[tuple[str, dict[str, int]]]:
        """Who was refused how often with which status, beyond those entries, since this was last asked."""
        told = [(who, minute.counted) for who, minute in self._minutes.items() if minute.counted]
        for who, _ in told:
            self._minutes[who].counted = Counter()
        return [(who, {str(status): count for status, count in sorted(counts.items())}) for who, counts in told]
