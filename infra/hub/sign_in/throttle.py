"""A limit on guessing: who failed several times waits longer before each further try.

Failures are counted by name and by address (OWASP Authentication Cheat Sheet, "Login Throttling"); a right password
does not shorten the wait.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

FREE, FREE_ADDRESS = 5, 50  # tries without a wait: of a name, and of an address, which many people may share
LONGEST, FORGET = 300.0, 900.0  # seconds: the longest wait, until all is forgotten
MOST = 10_000  # names and addresses kept


@dataclass(slots=True)
class LoginThrottle:
    """Counts failed logins by key and says how long a key must wait; ``clock`` gives seconds."""

    clock: Callable[[], float] = time.monotonic
    failures: dict[str, tuple[int, float]] = field(default_factory=dict)

    def wait(self, key: str, free: int = FREE) -> float:
        """Seconds until this key may try again, where the first ``free`` failures cost nothing."""
        count, last = self.failures.get(key, (0, 0.0))
        if count < free or self.clock() - last > FORGET:
            return 0.0
        return max(0.0, last + min(LONGEST, 2.0 ** min(count - free, 16)) - self.clock())

    def failed(self, key: str) -> None:
        """Count one more failure."""
        if len(self.failures) >= MOST:
            oldest = min(self.failures, key=lambda each: self.failures[each][1])
            del self.failures[oldest]
        count, last = self.failures.get(key, (0, 0.0))
        self.failures[key] = (1 if self.clock() - last > FORGET else count + 1, self.clock())

    def passed(self, key: str) -> None:
        """Forget the failures of a key."""
        self.failures.pop(key, None)
