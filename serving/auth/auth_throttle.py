"""Turns at what costs much and takes no token: proving a secret is made slow on purpose (about 50 ms of a processor).

So whoever knows nothing could keep the service busy by asking. It is done in threads of its own, and so many calls of
one address and of all wait at most; the others are told to come again. No other work waits for these threads.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from serving.errors import Overloaded

THREADS, OF_ONE, OF_ALL = 2, 16, 64
Value = TypeVar("Value")


class AuthThrottle:
    """The threads, and who waits for them."""

    def __init__(self) -> None:
        """Nobody waits."""
        self._threads = ThreadPoolExecutor(THREADS, "turns")
        self._waiting: Counter[str] = Counter()

    async def take(self, peer: str, work: Callable[[], Value]) -> Value:
        """What `work` gives. Raises Overloaded when too many of this address, or in all, wait; and what `work` does."""
        if self._waiting[peer] >= OF_ONE or self._waiting.total() >= OF_ALL:
            raise Overloaded()
        self._waiting[peer] += 1
        future = self._threads.submit(work)
        loop = asyncio.get_running_loop()
        future.add_done_callback(lambda _: loop.is_closed() or loop.call_soon_threadsafe(self._end, peer))
        return await asyncio.wrap_future(future)

    def close(self) -> None:
        """Nobody's turn comes any more."""
        self._threads.shutdown(cancel_futures=True)

    def _end(self, peer: str) -> None:
        self._waiting[peer] -= 1
        if not self._waiting[peer]:
            del self._waiting[peer]
