"""Idempotency keys as clients send them, and how long and how many are kept."""

from __future__ import annotations

import asyncio
import hashlib
import re

MOST, MOST_LASTING, SECONDS = 16_384, 131_072, 24 * 3600  # kept per bank and path, and for how many seconds
MOST_BYTES = 64 << 20  # of large answers of a bank to one product: beyond it the oldest are deleted
PATIENCE, PAUSE = 30.0, 0.005  # seconds to wait for another process, and between two checks of it
_THREAD_BYTES = 1 << 20  # size from which a body is hashed off the event loop
_KEY = re.compile(rb"[\x21-\x7e]{1,128}")


def is_key(key: bytes) -> bool:
    """Whether a header is a valid key: 1 to 128 visible ASCII characters."""
    return _KEY.fullmatch(key) is not None


async def digest_of(body: bytes) -> bytes:
    """The SHA-256 of a body."""
    if len(body) < _THREAD_BYTES:
        return hashlib.sha256(body).digest()
    return (await asyncio.to_thread(hashlib.sha256, body)).digest()
