"""Samples the refusals of unauthenticated clients, and of banks beyond their quota.

The first ones of each minute get ledger entries of their own, and one entry counts the others. So a client that only
sends bad requests cannot fill the disk or occupy the ledger's writer, and no refusal is left out. A process that is
killed loses the counts of its last minute.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

MOST, SECONDS = 60, 60.0  # entries of one client in an interval; seconds of an interval
COUNTED = "refusals.counted"  # the ledger verb
UNAUTHENTICATED = ""  # stands for all clients that are not authenticated


@dataclass(slots=True)
class _Minute:
    began: float
    recorded: int = 0
    counted: Counter[int] = field(default_factory=Counter)


class RefusalSampler:
    """The counts of one process, by bank; all unauthenticated clients are counted together."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Start all counts at zero. `clock` gives seconds."""
        self._clock, self._minutes = clock, dict[str, _Minute]()

    def takes(self, client: str, status: int) -> bool:
        """Whether this refusal gets an entry of its own; when it does not, it is counted by its HTTP status."""
        now = self._clock()
        minute = self._minutes.setdefault(client, _Minute(now))
        if now - minute.began >= SECONDS:
            minute.began, minute.recorded = now, 0
        minute.recorded += 1
        if minute.recorded <= MOST:
            return True
        minute.counted[status] += 1
        return False

    def counted(self) -> list[tuple[str, dict[str, int]]]:
        """The counted refusals since the last call, as pairs of a client and its counts by HTTP status."""
        results = [(client, minute.counted) for client, minute in self._minutes.items() if minute.counted]
        for client, _ in results:
            self._minutes[client].counted = Counter()
        return [(client, {str(status): n for status, n in sorted(counts.items())}) for client, counts in results]
