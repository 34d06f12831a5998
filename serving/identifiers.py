"""Identifiers of answers: UUID version 7 (RFC 9562 §5.7), ordered by time."""

from __future__ import annotations

import secrets
import time
import uuid


def score_id() -> str:
    """A new id: 48 bits of milliseconds since 1970, then 74 random bits, in the usual form."""
    milliseconds = time.time_ns() // 1_000_000
    bits = (milliseconds << 80) | (7 << 76) | (secrets.randbits(12) << 64) | (2 << 62) | secrets.randbits(62)
    return str(uuid.UUID(int=bits))
