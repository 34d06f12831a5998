"""The service's word for an answer: a detached JWS (RFC 7515 appendix F, EdDSA by RFC 8037) over the body's own bytes.

Detached and over the bytes as sent, so that nobody has to agree on how JSON is written to verify it. It travels in the
header `X-JWS-Signature`; the keys are at `/.well-known/jwks.json` and in the key ring.
"""

from __future__ import annotations

import base64
import binascii
import json
from typing import Any

from credit.canonical import canonical
from credit.errors import Broken
from credit.keys import KeyRing, SigningKey

HEADER = "X-JWS-Signature"
ZONE = "service"


class Signer:
    """Signs answers with the service's key."""

    def __init__(self, key: SigningKey) -> None:
        """The protected header is the same for every answer: the algorithm and which key."""
        self._sign = key.private.sign
        self._header = _b64(canonical({"alg": "EdDSA", "kid": f"{key.zone}:{key.keyid}", "typ": "JOSE"}))

    def detached(self, body: bytes) -> bytes:
        """`header..signature` over `header.body`, both base64url."""
        return self._header + b".." + _b64(self._sign(self._header + b"." + _b64(body)))


def verify(body: bytes, signature: str, ring: KeyRing, zone: str = ZONE) -> None:
    """Raises Broken unless `signature` is a detached JWS of a key of `zone` over exactly these bytes."""
    try:
        header, empty, raw = signature.encode("ascii").split(b".")
        told = json.loads(_raw(header))
        signed, alg, (named, _, keyid) = _raw(raw), told["alg"], str(told["kid"]).partition(":")
    except (ValueError, KeyError, TypeError, binascii.Error) as bad:
        raise Broken("The signature of an answer cannot be read", why="it is not a detached JWS") from bad
    if empty or alg != "EdDSA" or named != zone or "crit" in told:  # the algorithm is ours to say, not the header's
        raise Broken("An answer is not signed by one who may", why=f"it takes an EdDSA key of the zone {zone}")
    ring.verify(zone, keyid, header + b"." + _b64(body), signed)


def key_set(ring: KeyRing, zone: str = ZONE) -> dict[str, Any]:
    """The zone's public keys as a JWK set (RFC 7517, RFC 8037): the present one, and older ones that still verify."""
    return {
        "keys": [
            {"kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA", "kid": f"{zone}:{keyid}",
             "x": _b64(public.public_bytes_raw()).decode()}
            for keyid, public in ring.keys.get(zone, {}).items()
        ]
    }  # fmt: skip


def _b64(raw: bytes) -> bytes:
    return base64.urlsafe_b64encode(raw).rstrip(b"=")


def _raw(text: bytes) -> bytes:
    return base64.b64decode(text + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
