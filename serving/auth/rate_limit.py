"""How much a bank may ask: a token bucket each, and a second, small one for questions that led nowhere.

The first keeps one bank from taking the service from the others. The second is against enumeration: whoever tries
codes or mandates runs out of refusals, and the ledger gets an alarm. The buckets are in a file that every process of
the service maps, so they hold for all of them together, and after a restart.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from serving.auth.clients import DEFAULT_LIMIT, RateLimit
from serving.auth.counter_file import CounterFile, CounterSlot
from serving.errors import TooMany

MISSES = RateLimit(100 / 3600, 100)  # refusals of mandate or subject: 100 at once, 100 an hour


@dataclass(slots=True)
class TokenBucket:
    """`limit.burst` tokens at most, `limit.rate` more a second."""

    limit: RateLimit
    level: float
    at: float

    def fill(self, now: float) -> float:
        """Tokens there are now."""
        self.level = min(self.limit.burst, self.level + max(0.0, now - self.at) * self.limit.rate)
        self.at = now
        return self.level

    def wait(self, wanted: float) -> int:
        """Whole seconds until `wanted` tokens are there; at least one."""
        return max(1, -int(-(wanted - self.level) // self.limit.rate))


class Quotas:
    """One pair of buckets a bank, in memory that all the service's processes share."""

    def __init__(
        self, clock: Callable[[], float] = time.time, misses: RateLimit = MISSES, path: Path | None = None
    ) -> None:
        """Full buckets for everybody who is not in the file at `path`; without one, this process's own."""
        self._clock, self.misses = clock, misses  # the limit of refusals
        self._slots = CounterFile(path)

    def take(self, bank: str, limit: RateLimit, count: int = 1) -> TokenBucket:
        """Take `count` tokens. Raises TooMany when they are not there, or when the bank ran out of refusals."""
        now = self._clock()
        with self._slots.of(bank) as slot:
            asks, misses = self._read(slot, limit, now)
            if misses.fill(now) < 1:
                raise TooMany("rate-limit.too-many-misses", after=misses.wait(1))
            if asks.fill(now) < count:
                raise TooMany(
                    "rate-limit.too-many-requests",
                    after=asks.wait(min(count, limit.burst)),
                    rate=limit.rate,
                    burst=limit.burst,
                )
            asks.level -= count
            slot.write((limit.rate, limit.burst, asks.level, asks.at, misses.level, misses.at))
        return asks

    def miss(self, bank: str) -> bool:
        """Note a refusal; True when it was the last that this bank had: the moment to raise the alarm."""
        now = self._clock()
        with self._slots.of(bank) as slot:
            told = slot.read()
            misses = self._read(slot, DEFAULT_LIMIT, now)[1]
            before = misses.fill(now)
            misses.level = max(0.0, before - 1)
            slot.write((*told[:4], misses.level, misses.at))
        return before >= 1 > misses.level

    def _read(self, slot: CounterSlot, limit: RateLimit, now: float) -> tuple[TokenBucket, TokenBucket]:
        """The bank's two buckets; a full one where there is none yet, or where the limit is another now."""
        rate, burst, level, at, missed, missed_at = slot.read()
        same = rate == limit.rate and burst == limit.burst
        asks = TokenBucket(limit, level, at) if same else TokenBucket(limit, limit.burst, now)
        misses = (
            TokenBucket(self.misses, missed, missed_at)
            if missed_at
            else TokenBucket(self.misses, self.misses.burst, now)
        )
        return asks, misses


def lines_of(bucket: TokenBucket) -> bytes:
    """The same as they stand in a response's head."""
    return b"ratelimit-policy: %b\r\nratelimit: %b\r\n" % (_policy(bucket.limit), _left(bucket))


def headers_of(bucket: TokenBucket) -> list[tuple[bytes, bytes]]:
    """RateLimit and RateLimit-Policy (draft-ietf-httpapi-ratelimit-headers): what is left, and the rule."""
    return [(b"ratelimit-policy", _policy(bucket.limit)), (b"ratelimit", _left(bucket))]


@lru_cache(1024)
def _policy(limit: RateLimit) -> bytes:
    return b'"bank";q=%d;w=%d' % (limit.burst, max(1, round(limit.burst / limit.rate)))


def _left(bucket: TokenBucket) -> bytes:
    full = max(0, round((bucket.limit.burst - bucket.level) / bucket.limit.rate))  # seconds until then
    return b'"bank";r=%d;t=%d' % (bucket.level, full)
