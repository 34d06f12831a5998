"""Identifiers of answers: UUID version 7 (RFC 9562 §5.7), ordered by time."""

from __future__ import annotations

import os
import time

_LOW = (1 << 62) - 1


def score_id() -> str:
    """A new id: 48 bits of milliseconds since 1970, then 74 random bits, in the usual form."""
    chance = int.from_bytes(os.urandom(10), "big")
    bits = (time.time_ns() // 1_000_000 << 80) | (7 << 76) | (chance >> 68 << 64) | (2 << 62) | (chance & _LOW)
    text = f"{bits:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
