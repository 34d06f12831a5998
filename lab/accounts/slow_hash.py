"""Hashes of passwords and of short codes: argon2id (RFC 9106)."""

from __future__ import annotations

import base64
import secrets

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError


def slow_hash(secret: str) -> str:
    """The hash, in the form of the PHC string."""
    return PasswordHasher().hash(secret)


def matches(stored: str | None, secret: str) -> bool:
    """True when ``secret`` has this hash. None takes as long as a wrong secret."""
    try:
        PasswordHasher().verify(_UNMATCHABLE if stored is None else stored, secret)
    except (VerificationError, InvalidHashError):
        return False
    return stored is not None


def _unmatchable_hash() -> str:
    """A hash in the same format and with the same cost as the others, without a known secret."""
    cost = PasswordHasher()
    salt, digest = (
        base64.b64encode(secrets.token_bytes(length)).decode().rstrip("=") for length in (cost.salt_len, cost.hash_len)
    )
    return f"$argon2id$v=19$m={cost.memory_cost},t={cost.time_cost},p={cost.parallelism}${salt}${digest}"


_UNMATCHABLE = _unmatchable_hash()
