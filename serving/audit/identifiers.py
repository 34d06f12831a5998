"""Identifiers of answers: UUID version 7 (RFC 9562 §5.7), ordered by time."""

from __future__ import annotations

import hashlib
import os
import time

_DRAW = 256
_drawn: list[str] = []
_now = 0, ""  # milliseconds since 1970, and the beginning of all ids of this one


def score_id() -> str:
    """A new id: 48 bits of milliseconds since 1970, then 74 random bits, in the usual form."""
    global _now
    moment, begin = _now
    if moment != (now := time.time_ns() // 1_000_000):
        text = f"{now:012x}"
        begin = f"{text[:8]}-{text[8:]}-"
        _now = now, begin
    try:
        return begin + _drawn.pop()
    except IndexError:  # drawn by the hundred: each call to the system hands the interpreter to another thread
        drawn = os.urandom(10 * _DRAW)
        _drawn.extend(_rest(drawn[at : at + 10]) for at in range(0, len(drawn), 10))
        return begin + _drawn.pop()


def part_of(whole: str, number: int) -> str:
    """The id of a part of an answer: the same whenever it is asked for, and told by nobody who does not know both."""
    return whole[:14] + _rest(hashlib.sha256(f"{whole} {number}".encode()).digest()[:10])


def _rest(chance: bytes) -> str:
    """All after the time: version 7, 12 random bits, variant 10, 62 random bits."""
    told = chance.hex()
    return f"7{told[:3]}-{'89ab'[chance[1] & 3]}{told[4:7]}-{told[7:19]}"
