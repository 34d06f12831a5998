"""Rate limits: one token bucket per bank for its requests, and a second, small one for those that found nothing.

The first keeps one bank from taking the service's capacity from the others. The second is against enumeration: a bank
that tries out codes or mandates uses up its refusals, and the ledger gets an alarm. The buckets are in a file that
every process of the service maps, so they apply to all of them together, and after a restart.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from credit.errors import Malformed
from serving.auth.clients import DEFAULT_LIMIT, RateLimit
from serving.auth.counter_file import CounterFile, CounterSlot
from serving.errors import TooMany

MISSES = RateLimit(100 / 3600, 100)  # refusals of mandate or subject: 100 at once, 100 an hour


@dataclass(slots=True)
class TokenBucket:
    """A token bucket: at most `limit.burst` tokens, with `limit.rate` new ones per second; `at` is in seconds."""

    limit: RateLimit
    level: float
    at: float

    def fill(self, now: float) -> float:
        """Add the tokens that are due, and return the level."""
        self.level = min(self.limit.burst, self.level + max(0.0, now - self.at) * self.limit.rate)
        self.at = now
        return self.level

    def wait(self, wanted: float) -> int:
        """Whole seconds until the bucket has `wanted` tokens; at least one."""
        return max(1, -int(-(wanted - self.level) // self.limit.rate))


class Quotas:
    """Two buckets per bank, in memory that all processes of the service share."""

    def __init__(
        self, clock: Callable[[], float] = time.time, misses: RateLimit = MISSES, path: Path | None = None
    ) -> None:
        """New banks start with full buckets. The counters are in the file at `path`, or in this process alone."""
        self._clock, self.misses = clock, misses  # the limit of refusals
        self._counters = CounterFile(path)

    def take(self, bank: str, limit: RateLimit, count: int = 1, *, counted: int = 0) -> TokenBucket:
        """Take `count` tokens, for a request that has taken so many before.

        Raises TooMany when there are too few, or when the bank has used up its refusals, and Malformed for more than
        there can ever be at once.
        """
        now = self._clock()
        with self._counters.of(bank) as slot:
            requests, misses = self._read(slot, limit, now)
            if misses.fill(now) < 1:
                raise TooMany("rate-limit.too-many-misses", after=misses.wait(1))
            if counted + count > limit.burst:  # no waiting helps
                raise Malformed("rate-limit.more-than-burst", count=counted + count, burst=int(limit.burst))
            if requests.fill(now) < count:
                raise TooMany(
                    "rate-limit.too-many-requests",
                    after=requests.wait(count),
                    rate=limit.rate,
                    burst=limit.burst,
                )
            requests.level -= count
            slot.write((limit.rate, limit.burst, requests.level, requests.at, misses.level, misses.at))
        return requests

    def miss(self, bank: str) -> bool:
        """Count a refusal; True when it was the last one that this bank had, which is the moment to raise the alarm."""
        now = self._clock()
        with self._counters.of(bank) as slot:
            numbers = slot.read()
            misses = self._read(slot, DEFAULT_LIMIT, now)[1]
            before = misses.fill(now)
            misses.level = max(0.0, before - 1)
            slot.write((*numbers[:4], misses.level, misses.at))
        return before >= 1 > misses.level

    def _read(self, slot: CounterSlot, limit: RateLimit, now: float) -> tuple[TokenBucket, TokenBucket]:
        """The bank's two buckets; a bucket is full when it is new or its limit has changed."""
        rate, burst, level, at, missed, missed_at = slot.read()
        same = rate == limit.rate and burst == limit.burst
        requests = TokenBucket(limit, level, at) if same else TokenBucket(limit, limit.burst, now)
        misses = (
            TokenBucket(self.misses, missed, missed_at)
            if missed_at
            else TokenBucket(self.misses, self.misses.burst, now)
        )
        return requests, misses


def headers_of(bucket: TokenBucket) -> list[tuple[bytes, bytes]]:
    """RateLimit (what is left) and RateLimit-Policy (draft-ietf-httpapi-ratelimit-headers)."""
    return [(b"ratelimit-policy", _policy(bucket.limit)), (b"ratelimit", _left(bucket))]


@lru_cache(1024)
def _policy(limit: RateLimit) -> bytes:
    return b'"bank";q=%d;w=%d' % (limit.burst, max(1, round(limit.burst / limit.rate)))


def _left(bucket: TokenBucket) -> bytes:
    full = max(0, round((bucket.limit.burst - bucket.level) / bucket.limit.rate))  # seconds until then
    return b'"bank";r=%d;t=%d' % (bucket.level, full)
