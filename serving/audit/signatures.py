"""The service's word for an answer: a compact JWS (RFC 7515, EdDSA by RFC 8037) over the digest of the body as sent.

Over the bytes as sent, so that nobody has to agree on how JSON is written to verify it; over their digest and not
themselves, because Ed25519 reads what it signs twice, and an answer of sixty reasons is ten kilobytes: 35 us, not 84.
It travels in the header `X-JWS-Signature`; the keys are at `/.well-known/jwks.json` and in the key ring.

The payload is `{"iat":seconds,"sha-256":["<hex>",…]}`: answers that became durable in one write leave together, so one
signature is over all of them, and each names its own digest in the list. A digest of another's answer tells nobody
anything: every answer holds an id and a receipt that cannot be guessed.
"""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Mapping, Sequence
from typing import Any

from credit.canonical import canonical, digest
from credit.errors import Broken
from credit.keys import KeyRing, SigningKey

HEADER = "X-JWS-Signature"
ZONE, TYPE = "service", "haihe-answer+jwt"
MOST = 16  # digests under one signature: bounds the header, which is 1.6 KB then


class Signer:
    """Signs answers with the service's key."""

    def __init__(self, key: SigningKey) -> None:
        """The protected header is the same for every answer: the algorithm and which key."""
        self.key = key
        self._sign = key.sign
        self._header = _b64(canonical({"alg": "EdDSA", "kid": f"{key.zone}:{key.keyid}", "typ": TYPE}))

    def sign(self, body: bytes) -> bytes:
        """`header.payload.signature`, base64url each."""
        return self.sign_digests([digest(body)])

    def sign_digests(self, digests: Sequence[str]) -> bytes:
        """The same, of bodies whose SHA-256 are known."""
        said = b'{"iat":%d,"sha-256":["%b"]}' % (int(time.time()), '","'.join(digests).encode())
        signed = self._header + b"." + _b64(said)
        return signed + b"." + _b64(self._sign(signed))


class SignatureBatch:
    """Answers that leave at the same time, under one signature."""

    __slots__ = ("_digests", "_signature", "_signer")

    def __init__(self, signer: Signer) -> None:
        """None yet."""
        self._signer, self._digests = signer, list[str]()
        self._signature: bytes | None = None

    @property
    def takes_more(self) -> bool:
        """Whether another can join."""
        return self._signature is None and len(self._digests) < MOST

    def add(self, hexadecimal: str) -> None:
        """One more, by its body's SHA-256."""
        self._digests.append(hexadecimal)

    def signature(self) -> bytes:
        """Of all that joined; nobody joins any more."""
        if self._signature is None:
            self._signature = self._signer.sign_digests(self._digests)
        return self._signature


def verify(body: bytes, signature: str, ring: KeyRing, zone: str = ZONE) -> None:
    """Raises Broken unless `signature` is by a key of `zone` and over exactly these bytes."""
    try:
        header, payload, raw = signature.encode("ascii").split(b".")
        told, said, signed = json.loads(_raw(header)), json.loads(_raw(payload)), _raw(raw)
        alg, kind, (named, _, keyid) = told["alg"], told["typ"], str(told["kid"]).partition(":")
        of = said["sha-256"] if "sha-256" in said else [_older(said["body"])]
    except (ValueError, KeyError, TypeError, AttributeError) as bad:
        raise Broken("signatures.signature-answer-cannot-be-read") from bad
    # Algorithm and kind are ours to say, not the header's: a token of the service is not its word for an answer.
    if alg != "EdDSA" or kind != TYPE or named != zone or "crit" in told:
        raise Broken("signatures.answer-not-signed-by-one", zone=zone)
    ring.verify(zone, keyid, header + b"." + payload, signed)
    if not isinstance(of, list) or digest(body) not in of:
        raise Broken("signatures.answer-not-one-signed")


def _older(told: str) -> str:
    """The digest as signatures told it before they were over several: `sha-256:<hex>`. A report is kept for years."""
    name, _, hexadecimal = told.partition(":")
    if name != "sha-256":
        raise ValueError(name)
    return hexadecimal


def key_set(ring: KeyRing, zone: str = ZONE) -> dict[str, Any]:
    """The zone's public keys as a JWK set (RFC 7517, RFC 8037): the present one, and older ones that still verify."""
    return {
        "keys": [
            {"kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA", "kid": f"{zone}:{keyid}",
             "x": _b64(public.public_bytes_raw()).decode()}
            for keyid, public in ring.keys.get(zone, {}).items()
        ]
    }  # fmt: skip


def ring_of(keys: Mapping[str, Any], zone: str = ZONE) -> KeyRing:
    """The ring of a JWK set as `/.well-known/jwks.json` gives it. Raises Broken when it cannot be read."""
    try:
        raws = [_raw(str(key["x"]).encode("ascii")) for key in keys["keys"] if key.get("crv") == "Ed25519"]
    except (KeyError, TypeError, AttributeError, ValueError) as bad:
        raise Broken("signatures.set-keys-cannot-be-read") from bad
    return KeyRing.of_raw(zone, raws)


def _b64(raw: bytes) -> bytes:
    return base64.urlsafe_b64encode(raw).rstrip(b"=")


def _raw(text: bytes) -> bytes:
    return base64.b64decode(text + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
