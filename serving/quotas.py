"""How much a bank may ask: a token bucket each, and a second, small one for questions that led nowhere.

The first keeps one bank from taking the service from the others. The second is against enumeration: whoever tries
codes or mandates runs out of refusals, and the ledger gets an alarm. Buckets are this process's own.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from credit.errors import Refused
from serving.access import Limit

MISSES = Limit(100 / 3600, 100)  # refusals of mandate or subject: 100 at once, 100 an hour


class TooMany(Refused):
    """Asked too often (HTTP 429, RFC 6585 §4); `after` says in how many whole seconds to come again."""

    status, slug = 429, "too-many"

    def __init__(self, what: str, *, after: int, why: str = "", remedy: str = "") -> None:
        super().__init__(what, why=why, remedy=remedy or f"Wait {after} s and ask again")
        self.after = after


@dataclass(slots=True)
class Bucket:
    """`limit.burst` tokens at most, `limit.rate` more a second."""

    limit: Limit
    level: float
    at: float

    def fill(self, now: float) -> float:
        """Tokens there are now."""
        self.level = min(self.limit.burst, self.level + (now - self.at) * self.limit.rate)
        self.at = now
        return self.level

    def wait(self, wanted: float) -> int:
        """Whole seconds until `wanted` tokens are there; at least one."""
        return max(1, -int(-(wanted - self.level) // self.limit.rate))


class Quotas:
    """One pair of buckets a bank."""

    def __init__(self, clock: Callable[[], float] = time.monotonic, misses: Limit = MISSES) -> None:
        """Full buckets for everybody."""
        self._clock, self.misses = clock, misses  # the limit of refusals
        self._asks: dict[str, Bucket] = {}
        self._misses: dict[str, Bucket] = {}

    def take(self, bank: str, limit: Limit, count: int = 1) -> Bucket:
        """Take `count` tokens. Raises TooMany when they are not there, or when the bank ran out of refusals."""
        now = self._clock()
        missed = self._misses.get(bank)
        if missed is not None and missed.fill(now) < 1:
            raise TooMany("Too many questions that led nowhere", after=missed.wait(1), why="the platform was told")
        bucket = self._asks.get(bank)
        if bucket is None or bucket.limit != limit:
            bucket = self._asks[bank] = Bucket(limit, limit.burst, now)
        if bucket.fill(now) < count:
            why = f"{limit.rate:g} a second and {limit.burst:g} at once are this bank's"
            raise TooMany("Too many requests", after=bucket.wait(min(count, limit.burst)), why=why)
        bucket.level -= count
        return bucket

    def miss(self, bank: str) -> bool:
        """Note a refusal; True when it was the last that this bank had: the moment to raise the alarm."""
        now = self._clock()
        bucket = self._misses.setdefault(bank, Bucket(self.misses, self.misses.burst, now))
        before = bucket.fill(now)
        bucket.level = max(0.0, before - 1)
        return before >= 1 > bucket.level


def headers_of(bucket: Bucket) -> list[tuple[bytes, bytes]]:
    """RateLimit and RateLimit-Policy (draft-ietf-httpapi-ratelimit-headers): what is left, and the rule."""
    limit = bucket.limit
    window = max(1, round(limit.burst / limit.rate))
    return [
        (b"ratelimit-policy", b'"bank";q=%d;w=%d' % (limit.burst, window)),
        (b"ratelimit", b'"bank";r=%d;t=%d' % (bucket.level, max(0, round((limit.burst - bucket.level) / limit.rate)))),
    ]
