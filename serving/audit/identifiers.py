"""Identifiers of answers: UUID version 7 (RFC 9562 §5.7), ordered by time."""

from __future__ import annotations

import hashlib
import os
import time

_BATCH = 256  # random parts that are drawn at once
_random_parts: list[str] = []
_now = 0, ""  # milliseconds since 1970, and the beginning of every id of that millisecond


def score_id() -> str:
    """A new id: 48 bits of milliseconds since 1970, then 74 random bits, in the usual form with hyphens."""
    global _now
    moment, begin = _now
    if moment != (now := time.time_ns() // 1_000_000):
        text = f"{now:012x}"
        begin = f"{text[:8]}-{text[8:]}-"
        _now = now, begin
    try:
        return begin + _random_parts.pop()
    except IndexError:  # drawn in batches: each call to the system passes the interpreter to another thread
        drawn = os.urandom(10 * _BATCH)
        _random_parts.extend(_format_random(drawn[at : at + 10]) for at in range(0, len(drawn), 10))
        return begin + _random_parts.pop()


def part_of(whole: str, number: int) -> str:
    """The id of part `number` of an answer: always the same, and derivable only from both the id and the number."""
    return whole[:14] + _format_random(hashlib.sha256(f"{whole} {number}".encode()).digest()[:10])


def _format_random(random: bytes) -> str:
    """Everything after the time: version 7, 12 random bits, variant 10, 62 random bits."""
    digits = random.hex()
    return f"7{digits[:3]}-{'89ab'[random[1] & 3]}{digits[4:7]}-{digits[7:19]}"
