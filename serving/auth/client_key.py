"""The client's side of its own key: assertions in place of a secret (RFC 7523), and DPoP proofs (RFC 9449)."""

from __future__ import annotations

import base64
import hashlib
import secrets
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import jwt
from jwt.algorithms import OKPAlgorithm

from credit.errors import Malformed
from credit.keys import SigningKey
from serving.auth.dpop import ASSERTION, LONGEST

AUDIENCE = "haihe-service"


@dataclass(frozen=True, slots=True)
class ClientKey:
    """An Ed25519 key of the bank. Its public half is registered with the platform; the private half never leaves."""

    key: SigningKey = field(repr=False)

    @classmethod
    def load(cls, folder: Path, name: str = "bank") -> ClientKey:
        """Read `signing-<name>.pem` of a folder, or create it. Raises Broken for another kind of key."""
        made = folder / f"signing-{name}.pem"
        return cls(SigningKey.load(folder, name) if made.exists() else SigningKey.create(folder, name))

    @property
    def jwk(self) -> dict[str, Any]:
        """The public half as a JWK (RFC 8037), for the platform: `haihe bank NAME --key FILE`."""
        jwk = OKPAlgorithm.to_jwk(self.key.private.public_key(), as_dict=True)
        return {name: jwk[name] for name in ("kty", "crv", "x")}

    def form(self, bank: str) -> dict[str, str]:
        """The form fields that replace a secret in a token request (RFC 7523 §2.2); valid once and for a minute."""
        now = int(time.time())
        jti, end = secrets.token_hex(16), now + min(60, LONGEST)
        claims = {"iss": bank, "sub": bank, "aud": AUDIENCE, "jti": jti, "iat": now, "exp": end}
        return {"client_assertion_type": ASSERTION, "client_assertion": jwt.encode(claims, self.key.private, "EdDSA")}

    def proof(self, method: str, url: str, token: str | None = None) -> str:
        """A DPoP proof (RFC 9449 §4.2) for this request and token. Raises Malformed for an address without a host."""
        parts = urlsplit(url)
        if not parts.netloc:
            raise Malformed("client-key.proof-takes-whole-address")
        claims: dict[str, Any] = {
            "jti": secrets.token_hex(16), "htm": method, "iat": int(time.time()),
            "htu": urlunsplit((parts.scheme, parts.netloc, parts.path, "", "")),
        }  # fmt: skip
        if token is not None:
            token_digest = hashlib.sha256(token.encode()).digest()
            claims["ath"] = base64.urlsafe_b64encode(token_digest).rstrip(b"=").decode()
        return jwt.encode(claims, self.key.private, "EdDSA", headers={"typ": "dpop+jwt", "jwk": self.jwk})
