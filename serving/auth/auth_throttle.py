"""Limits concurrent client authentication, which is slow on purpose: about 50 ms of a processor per secret.

Clients without a valid secret could otherwise keep the service busy. Secrets are checked in threads of their own, and
the number of waiting requests is limited per address and in total; further ones are refused with 503. No other work
waits for these threads.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from serving.errors import Overloaded

THREADS, MOST_OF_ADDRESS, MOST = 2, 16, 64  # threads; requests that may wait, of one address and in total
Value = TypeVar("Value")


class AuthThrottle:
    """The threads that check secrets, and the number of requests that wait for them."""

    def __init__(self) -> None:
        """Start with an empty queue."""
        self._threads = ThreadPoolExecutor(THREADS, "authentication")
        self._waiting: Counter[str] = Counter()

    async def take(self, peer: str, work: Callable[[], Value]) -> Value:
        """The result of `work`. Raises Overloaded when too many requests wait, and whatever `work` raises."""
        if self._waiting[peer] >= MOST_OF_ADDRESS or self._waiting.total() >= MOST:
            raise Overloaded()
        self._waiting[peer] += 1
        future = self._threads.submit(work)
        loop = asyncio.get_running_loop()
        future.add_done_callback(lambda _: loop.is_closed() or loop.call_soon_threadsafe(self._end, peer))
        return await asyncio.wrap_future(future)

    def close(self) -> None:
        """Cancel the waiting requests and end the threads."""
        self._threads.shutdown(cancel_futures=True)

    def _end(self, peer: str) -> None:
        self._waiting[peer] -= 1
        if not self._waiting[peer]:
            del self._waiting[peer]
