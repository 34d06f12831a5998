"""A bank's own key: assertions in place of a secret (RFC 7523), and DPoP proofs (RFC 9449)."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from haihe_client.errors import RequestNotSent
from haihe_client.texts import text

_ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_LIFE = 60  # seconds for which an assertion is valid


@dataclass(frozen=True, slots=True)
class ClientKey:
    """An Ed25519 key of the bank. Its public half is registered with the platform; the private half never leaves."""

    private: Ed25519PrivateKey = field(repr=False)

    @classmethod
    def load(cls, folder: Path, name: str = "bank") -> ClientKey:
        """Read `signing-<name>.pem` of a folder, or create it with mode 0600. Raises RequestNotSent for another kind
        of key.
        """
        path = folder / f"signing-{name}.pem"
        if not path.exists():
            folder.mkdir(parents=True, exist_ok=True)
            private = Ed25519PrivateKey.generate()
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
            return cls(private)
        try:
            loaded = load_pem_private_key(path.read_bytes(), password=None)
        except (ValueError, TypeError) as bad:
            raise RequestNotSent(text("key-unreadable", file=path.name)) from bad
        if not isinstance(loaded, Ed25519PrivateKey):
            raise RequestNotSent(text("key-unreadable", file=path.name))
        return cls(loaded)

    @property
    def jwk(self) -> dict[str, str]:
        """The public half as a JWK (RFC 8037), for the platform: `haihe bank NAME --key FILE`."""
        return {"kty": "OKP", "crv": "Ed25519", "x": _base64(self.private.public_key().public_bytes_raw())}

    @property
    def thumbprint(self) -> str:
        """The thumbprint (RFC 7638) by which the platform names the key."""
        return _base64(hashlib.sha256(_json(self.jwk)).digest())

    def assertion(self, bank: str, audience: str) -> dict[str, str]:
        """The form fields that replace a secret in a token request (RFC 7523 §2.2); valid once and for a minute."""
        now = int(time.time())
        claims = {"iss": bank, "sub": bank, "aud": audience, "jti": secrets.token_hex(16), "iat": now,
                  "exp": now + _LIFE}  # fmt: skip
        return {"client_assertion_type": _ASSERTION, "client_assertion": self._signed({"typ": "JWT"}, claims)}

    def proof(self, method: str, url: httpx.URL | str, token: str | None = None) -> str:
        """A DPoP proof (RFC 9449 §4.2) for this request and token."""
        address = httpx.URL(url).copy_with(query=None, fragment=None)
        claims: dict[str, Any] = {"jti": secrets.token_hex(16), "htm": method, "htu": str(address),
                                  "iat": int(time.time())}  # fmt: skip
        if token is not None:
            claims["ath"] = _base64(hashlib.sha256(token.encode()).digest())
        return self._signed({"typ": "dpop+jwt", "jwk": self.jwk}, claims)

    def _signed(self, header: Mapping[str, Any], claims: Mapping[str, Any]) -> str:
        """A compact JWS (RFC 7515) by EdDSA."""
        signed = f"{_base64(_json({'alg': 'EdDSA', **header}))}.{_base64(_json(claims))}"
        return f"{signed}.{_base64(self.private.sign(signed.encode()))}"


def _json(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def _base64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
