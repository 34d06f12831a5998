"""A bank's own keys in tests: JWKs, assertions (RFC 7523) and DPoP proofs (RFC 9449), as a bank would make them."""

from __future__ import annotations

import base64
import hashlib
import secrets
import time
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from serving.auth.dpop import ASSERTION

HOST = "testserver"
MAKERS = {
    "EdDSA": ed25519.Ed25519PrivateKey.generate,
    "ES256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "PS256": lambda: rsa.generate_private_key(65537, 2048),
}


class BankKey:
    """A private key with its algorithm."""

    def __init__(self, algorithm: str = "EdDSA") -> None:
        self.algorithm, self.private = algorithm, MAKERS[algorithm]()

    @property
    def jwk(self) -> dict[str, Any]:
        kind = jwt.get_algorithm_by_name(self.algorithm)
        public_jwk: dict[str, Any] = kind.to_jwk(self.private.public_key(), as_dict=True)
        return {name: value for name, value in public_jwk.items() if name in ("kty", "crv", "x", "y", "n", "e")}

    def assertion(self, bank: str, **more: Any) -> dict[str, str]:
        now = int(time.time())
        claims = {
            "iss": bank,
            "sub": bank,
            "aud": f"http://{HOST}/oauth2/token",
            "jti": secrets.token_hex(8),
            "exp": now + 120,
        } | more
        text = jwt.encode({n: v for n, v in claims.items() if v is not None}, self.private, self.algorithm)
        return {"grant_type": "client_credentials", "client_assertion_type": ASSERTION, "client_assertion": text}

    def proof(self, path: str, token: str | None = None, headers: dict[str, Any] | None = None, **more: Any) -> str:
        claims: dict[str, Any] = {
            "jti": secrets.token_hex(8), "htm": "POST", "htu": f"http://{HOST}{path}", "iat": int(time.time())
        }  # fmt: skip
        if token is not None:
            claims["ath"] = base64.urlsafe_b64encode(hashlib.sha256(token.encode()).digest()).rstrip(b"=").decode()
        header = {"typ": "dpop+jwt", "jwk": self.jwk} | (headers or {})
        claims = {name: value for name, value in (claims | more).items() if value is not None}
        return jwt.encode(claims, self.private, self.algorithm, headers=header)
