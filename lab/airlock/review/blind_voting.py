"""Blind voting (背靠背审查): the first vote stays encrypted in the ledger until the second reviewer has voted.

The ledger stores the first vote as a commitment and an encrypted box. The box is encrypted with a one-time pad derived
from an Ed25519 signature: signatures by RFC 8032 are deterministic, so only the holder of the zone's key can derive the
pad again. All boxes have one length, which hides the vote and the length of the reason. The second vote writes both
votes in plain text, and the commitment proves that the first was not changed.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Mapping
from typing import Any

from credit.canonical import canonical, digest
from credit.errors import Broken, Malformed
from credit.keys import SigningKey

BOX_BYTES = 4096  # bytes in every box
LONGEST_REASON = 1000  # characters in a reason: at 4 bytes each they fit into the box with the other fields


def cast_vote(approve: bool, reason: str) -> dict[str, Any]:
    """A vote with a random salt, which hides the vote in its digest. Raises :class:`Malformed` for a long reason."""
    vote = {"approve": approve, "reason": reason, "salt": secrets.token_hex(16)}
    if len(reason) > LONGEST_REASON or len(canonical(vote)) > BOX_BYTES:
        raise Malformed("blind-voting.reason-too-long", longest=LONGEST_REASON)
    return vote


def commitment(vote: Mapping[str, Any]) -> str:
    """The SHA-256 digest that binds a reviewer to a vote without revealing it."""
    return digest(canonical({name: vote[name] for name in ("approve", "reason", "salt")}))


def seal_vote(vote: Mapping[str, Any], key: SigningKey, *, about: str) -> dict[str, str]:
    """Encrypt a vote: ``{commitment, nonce, box}``; ``about`` names the petition and the reviewer."""
    nonce = secrets.token_hex(16)
    plain = canonical(vote).ljust(BOX_BYTES)
    return {"commitment": commitment(vote), "nonce": nonce, "box": _xor(plain, _pad(key, about, nonce)).hex()}


def open_vote(closed: Mapping[str, Any], key: SigningKey, *, about: str) -> dict[str, Any]:
    """Decrypt a vote; raises :class:`Broken` for another key, another ``about``, or another vote than committed."""
    try:
        plain = _xor(bytes.fromhex(closed["box"]), _pad(key, about, closed["nonce"]))
        vote: dict[str, Any] = json.loads(plain)
        bound = commitment(vote) == closed["commitment"]
    except (ValueError, KeyError, TypeError):
        bound = False
    if not bound:
        raise Broken("blind-voting.vote-cannot-be-opened")
    return vote


def _pad(key: SigningKey, about: str, nonce: str) -> bytes:
    signed = key.sign(f"haihe blind vote v1 {about} {nonce}".encode())
    return hashlib.shake_256(signed).digest(BOX_BYTES)


def _xor(one: bytes, other: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(one, other, strict=True))
