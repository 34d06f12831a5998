"""Identifiers of answers: UUID version 7 (RFC 9562 §5.7), ordered by time."""

from __future__ import annotations

import os
import time

_LOW, _DRAW = (1 << 62) - 1, 256
_drawn: list[int] = []


def score_id() -> str:
    """A new id: 48 bits of milliseconds since 1970, then 74 random bits, in the usual form."""
    try:
        chance = _drawn.pop()
    except IndexError:  # drawn by the hundred: each call to the system hands the interpreter to another thread
        drawn = os.urandom(10 * _DRAW)
        _drawn.extend(int.from_bytes(drawn[at : at + 10], "big") for at in range(0, len(drawn), 10))
        chance = _drawn.pop()
    bits = (time.time_ns() // 1_000_000 << 80) | (7 << 76) | (chance >> 68 << 64) | (2 << 62) | (chance & _LOW)
    text = f"{bits:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
