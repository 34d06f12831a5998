"""A vote nobody can read until both have voted (背靠背审查), though the ledger it stands in can be read by many.

The first vote is in the ledger as a commitment and a closed box. The pad of the box is made from an Ed25519 signature:
RFC 8032 signatures are deterministic, so the holder of the zone's key makes the same pad again and nobody else can. All
boxes have one length, so that neither the vote nor the reason shows in it. When the second vote is cast, both are
written open, and the commitment shows that the first is the one that was cast.
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

SIZE = 4096  # bytes of every box
LONGEST = 1000  # characters of a reason: at most 4 bytes each fit the box, with what stands around them


def cast_vote(approve: bool, reason: str) -> dict[str, Any]:
    """A vote with a salt, so that its digest tells nothing; raises :class:`Malformed` for too long a reason."""
    vote = {"approve": approve, "reason": reason, "salt": secrets.token_hex(16)}
    if len(reason) > LONGEST or len(canonical(vote)) > SIZE:
        raise Malformed("blind-voting.reason-too-long", longest=LONGEST)
    return vote


def commitment(vote: Mapping[str, Any]) -> str:
    """The digest that binds a reviewer to a vote without showing it."""
    return digest(canonical({name: vote[name] for name in ("approve", "reason", "salt")}))


def seal_vote(vote: Mapping[str, Any], key: SigningKey, *, about: str) -> dict[str, str]:
    """``{commitment, nonce, box}`` of a vote ``about`` one petition and reviewer."""
    nonce = secrets.token_hex(16)
    plain = canonical(vote).ljust(SIZE)
    return {"commitment": commitment(vote), "nonce": nonce, "box": _xor(plain, _pad(key, about, nonce)).hex()}


def open_vote(closed: Mapping[str, Any], key: SigningKey, *, about: str) -> dict[str, Any]:
    """The vote in a box; raises :class:`Broken` when this key did not close it or it is not what was committed to."""
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
    return hashlib.shake_256(signed).digest(SIZE)


def _xor(one: bytes, other: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(one, other, strict=True))
