"""Idempotency keys (draft-ietf-httpapi-idempotency-key-header): the same key and body, the same answer, to the byte.

Remembered by this process for a day and for at most so many answers; a key with another body is refused. Whoever asks
again is looked at again: a mandate revoked meanwhile opens nothing, and the repetition has its own entry.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
import time
from collections.abc import Awaitable, Callable

from credit.errors import Malformed

MOST, SECONDS = 4096, 24 * 3600
_KEY = re.compile(rb"[\x21-\x7e]{1,128}")


class Repeats:
    """Answers by bank and key."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """None yet."""
        self._clock = clock
        self._held: dict[tuple[str, bytes], tuple[bytes, float, asyncio.Future[tuple[str, bytes]]]] = {}

    async def once(
        self, bank: str, key: bytes, body: bytes, act: Callable[[], Awaitable[tuple[str, bytes]]]
    ) -> tuple[str, bytes, bool]:
        """Id and bytes of the answer, and whether they were given before. Raises Malformed, and whatever `act` raises.

        Two at once with one key are one act; a refusal is not remembered, so that its cause can be mended.
        """
        if not _KEY.fullmatch(key):
            raise Malformed("Not an idempotency key", why="it is 1 to 128 visible ASCII characters")
        name, sum_, now = (bank, key), hashlib.sha256(body).digest(), self._clock()
        held = self._held.get(name)
        if held is not None and held[1] > now:
            if held[0] != sum_:
                raise Malformed("This idempotency key was used for another request", remedy="Use a new key")
            return (*await asyncio.shield(held[2]), True)
        while len(self._held) >= MOST:
            del self._held[next(iter(self._held))]
        future: asyncio.Future[tuple[str, bytes]] = asyncio.get_running_loop().create_future()
        self._held[name] = (sum_, now + SECONDS, future)
        try:
            told = await act()
        except BaseException as error:
            self._held.pop(name, None)
            future.set_exception(error)
            future.exception()  # told to whoever waits; if nobody does, that is no fault
            raise
        future.set_result(told)
        return (*told, False)
