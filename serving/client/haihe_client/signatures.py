"""Verification of the service's signatures: compact JWS (RFC 7515) by Ed25519 (RFC 8037), over digests of answers."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from haihe_client.errors import VerificationError
from haihe_client.texts import Language, text

HEADER = "X-JWS-Signature"
_TYPE, _ZONE = "haihe-answer+jwt", "service"


class UnknownKey(VerificationError):
    """The signature is by a key that these keys do not include; the service may have a new one."""


@dataclass(frozen=True, slots=True)
class ServiceKeys:
    """The public keys of the scoring service, by key id."""

    keys: Mapping[str, Ed25519PublicKey]
    language: Language = "en"

    @classmethod
    def of_jwks(cls, document: Mapping[str, Any], language: Language = "en") -> ServiceKeys:
        """The Ed25519 keys of a JWK set (RFC 7517). Raises VerificationError when it cannot be read."""
        try:
            raws = [_bytes_of(str(key["x"]).encode("ascii")) for key in document["keys"] if key.get("crv") == "Ed25519"]
            return cls.of(map(Ed25519PublicKey.from_public_bytes, raws), language)
        except (KeyError, TypeError, AttributeError, ValueError) as bad:
            raise VerificationError(text("keys-unreadable", language)) from bad

    @classmethod
    def load(cls, folder: Path, language: Language = "en") -> ServiceKeys:
        """The keys in the files `service.pem` and `service-<n>.pem` of a folder, to verify without a network.

        Raises VerificationError when there is none, or one cannot be read.
        """
        try:
            loaded = [load_pem_public_key(path.read_bytes()) for path in folder.glob("service*.pem")
                     if re.fullmatch(r"service(-\d+)?\.pem", path.name)]  # fmt: skip
        except (ValueError, OSError) as bad:
            raise VerificationError(text("keys-unreadable", language)) from bad
        publics = [key for key in loaded if isinstance(key, Ed25519PublicKey)]
        if not publics or len(publics) < len(loaded):
            raise VerificationError(text("keys-unreadable", language))
        return cls.of(publics, language)

    @classmethod
    def of(cls, publics: Iterable[Ed25519PublicKey], language: Language = "en") -> ServiceKeys:
        """These keys; the id of one is the beginning of the SHA-256 of its bytes."""
        return cls({hashlib.sha256(key.public_bytes_raw()).hexdigest()[:16]: key for key in publics}, language)

    def verify(self, body: bytes, signature: str) -> None:
        """Raise VerificationError unless `signature`, the header X-JWS-Signature, is over exactly these bytes."""
        try:
            header, payload, raw_signature = signature.encode("ascii").split(b".")
            head, claims = json.loads(_bytes_of(header)), json.loads(_bytes_of(payload))
            signed = _bytes_of(raw_signature)
            algorithm, kind, (zone, _, keyid) = head["alg"], head["typ"], str(head["kid"]).partition(":")
            digests = claims["sha-256"] if "sha-256" in claims else [claims["body"].removeprefix("sha-256:")]
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as bad:
            raise VerificationError(text("signature-unreadable", self.language)) from bad
        # The verifier fixes the algorithm and the type, not the header: a token of the service signs no answer.
        if algorithm != "EdDSA" or kind != _TYPE or zone != _ZONE or "crit" in head:
            raise VerificationError(text("signature-not-service", self.language))
        if keyid not in self.keys:
            raise UnknownKey(text("signature-unknown-key", self.language))
        try:
            self.keys[keyid].verify(signed, header + b"." + payload)
        except InvalidSignature as bad:
            raise VerificationError(text("signature-wrong", self.language)) from bad
        if not isinstance(digests, list) or hashlib.sha256(body).hexdigest() not in digests:
            raise VerificationError(text("answer-not-signed", self.language))


def _bytes_of(encoded: bytes) -> bytes:
    return base64.b64decode(encoded + b"=" * (-len(encoded) % 4), altchars=b"-_", validate=True)
