"""The signature of an answer: a compact JWS (RFC 7515, EdDSA by RFC 8037) over the digest of the body as sent.

It covers the bytes as sent, so that a verifier needs no canonical form of JSON. It covers their digest, because Ed25519
reads its input twice, and an answer of sixty reasons has ten kilobytes: signing takes 35 us and not 84. It is sent
in the header `X-JWS-Signature`; the keys are at `/.well-known/jwks.json` and in the key ring.

The payload is `{"iat":seconds,"sha-256":["<hex>",…]}`: answers that became durable in one write leave together, so one
signature covers all of them, and the list contains the digest of each. The digest of another bank's answer discloses
nothing: every answer contains an id and a receipt that cannot be guessed.
"""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Sequence
from typing import Any

from credit.canonical import canonical, digest
from credit.errors import Broken
from credit.keys import KeyRing, SigningKey

HEADER = "X-JWS-Signature"
ZONE, TYPE = "service", "haihe-answer+jwt"


class Signer:
    """Signs answers with the service's key."""

    def __init__(self, key: SigningKey) -> None:
        """The protected header is the same for every answer: the algorithm and which key."""
        self.key = key
        self._sign = key.sign
        self._header = _b64(canonical({"alg": "EdDSA", "kid": f"{key.zone}:{key.keyid}", "typ": TYPE}))

    def sign(self, body: bytes) -> bytes:
        """The JWS over one body: `header.payload.signature`, each part in base64url."""
        return self.sign_digests([digest(body)])

    def sign_digests(self, digests: Sequence[str]) -> bytes:
        """The JWS over bodies whose SHA-256 (hexadecimal) are given."""
        payload = b'{"iat":%d,"sha-256":["%b"]}' % (int(time.time()), '","'.join(digests).encode())
        signed = self._header + b"." + _b64(payload)
        return signed + b"." + _b64(self._sign(signed))


def verify(body: bytes, signature: str, ring: KeyRing, zone: str = ZONE) -> None:
    """Raise Broken unless `signature` is by a key of `zone` and over exactly these bytes."""
    try:
        header, payload, raw_signature = signature.encode("ascii").split(b".")
        head, claims, signed = json.loads(_raw(header)), json.loads(_raw(payload)), _raw(raw_signature)
        alg, kind, (named, _, keyid) = head["alg"], head["typ"], str(head["kid"]).partition(":")
        digests = claims["sha-256"] if "sha-256" in claims else [_digest_of_older_form(claims["body"])]
    except (ValueError, KeyError, TypeError, AttributeError) as bad:
        raise Broken("signatures.signature-answer-cannot-be-read") from bad
    # The verifier fixes algorithm and type, not the header: a token of the service is no signature of an answer.
    if alg != "EdDSA" or kind != TYPE or named != zone or "crit" in head:
        raise Broken("signatures.answer-not-signed-by-one", zone=zone)
    ring.verify(zone, keyid, header + b"." + payload, signed)
    if not isinstance(digests, list) or digest(body) not in digests:
        raise Broken("signatures.answer-not-one-signed")


def _digest_of_older_form(text: str) -> str:
    """The digest in signatures of the older form, over one body: `sha-256:<hex>`. Reports are kept for years."""
    name, _, hexadecimal = text.partition(":")
    if name != "sha-256":
        raise ValueError(name)
    return hexadecimal


def key_set(ring: KeyRing, zone: str = ZONE) -> dict[str, Any]:
    """The zone's public keys as a JWK set (RFC 7517, RFC 8037): the present key, and older ones that still verify."""
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
