"""Verifies what a client signs with its own key: assertions (RFC 7523), and proofs of possession (DPoP, RFC 9449).

An assertion replaces a secret in a token request. A proof shows that the client has the key to which its token is
bound.

The key determines the algorithm, never the header: Ed25519 is EdDSA, P-256 is ES256, RSA is PS256; no other is allowed.
"""

from __future__ import annotations

import base64
import hashlib
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

import jwt

from credit.canonical import canonical
from credit.errors import Malformed, Unauthenticated
from serving.state.coordination_db import CoordinationDb

ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
LONGEST, DRIFT = 300, 60  # seconds: longest life of an assertion; largest difference of a proof's time
MOST, SWEEP = 100_000, 5.0  # proofs remembered at most; seconds between two counts of them
_KINDS = {("OKP", "Ed25519"): "EdDSA", ("EC", "P-256"): "ES256", ("RSA", None): "PS256"}
_MEMBERS = {"OKP": ("crv", "kty", "x"), "EC": ("crv", "kty", "x", "y"), "RSA": ("e", "kty", "n")}  # RFC 7638 §3.2


class ReplayCache:
    """The identifiers (`jti`) that any process of the service has accepted: each is valid once while it lives."""

    def __init__(self, database: CoordinationDb | None = None, clock: Callable[[], float] = time.time) -> None:
        """Without a `database`, use one of this process alone. `clock` gives seconds since 1970."""
        self._database, self._clock = database or CoordinationDb(), clock
        self._next = 0.0  # when to delete expired identifiers

    def once(self, name: str, until: float) -> None:
        """Raise Unauthenticated when `name` was used before, or when too many are stored to accept another one.

        `until` is the end of its life in seconds since 1970.
        """
        now = self._clock()
        if now >= self._next:
            self._next = now + SWEEP
            self._database.rows("DELETE FROM seen WHERE until <= ?", now)
            if self._database.rows("SELECT count(*) FROM seen")[0][0] >= MOST:
                self._next = now
                raise Unauthenticated("dpop.too-many-proofs-at-once")
        sql = (
            "INSERT INTO seen VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET until = excluded.until "
            "WHERE until <= ? RETURNING 1"
        )
        if not self._database.rows(sql, hashlib.sha256(name.encode()).hexdigest(), until, now):
            raise Unauthenticated("dpop.proof-used-before")


def read_key(jwk: Mapping[str, Any]) -> tuple[jwt.PyJWK, str]:
    """A public JWK and its algorithm. Raises Malformed for another kind, a weak key, or one with its private part."""
    algorithm = _KINDS.get((str(jwk.get("kty")), jwk.get("crv")))
    if algorithm is None or {"d", "k", "p", "q"} & set(jwk):
        raise Malformed("dpop.not-public-key-for-signing")
    try:
        key = jwt.PyJWK({name: jwk[name] for name in _MEMBERS[jwk["kty"]]}, algorithm)
    except (jwt.PyJWTError, KeyError, ValueError, TypeError) as bad:
        raise Malformed("dpop.not-public-key-for-signing-parts-cannot-be") from bad
    if algorithm == "PS256" and key.key.key_size < 2048:
        raise Malformed("dpop.not-public-key-for-signing-rsa-key-takes")
    return key, algorithm


def thumbprint(jwk: Mapping[str, Any]) -> str:
    """The thumbprint of a key (RFC 7638): SHA-256 in base64url."""
    return _b64(hashlib.sha256(canonical({name: jwk[name] for name in _MEMBERS[jwk["kty"]]})).digest())


def read_assertion(
    assertion: str, client: str, keys: Sequence[Mapping[str, Any]], audiences: Sequence[str], seen: ReplayCache
) -> None:
    """Raise Unauthenticated unless a key of `client` signed the assertion recently, for us, and once (RFC 7523 §3)."""
    for jwk in keys:
        key, algorithm = read_key(jwk)
        try:
            claims = jwt.decode(
                assertion, key, algorithms=[algorithm], audience=audiences, issuer=client,
                options={"require": ["exp", "iss", "sub", "aud", "jti"]},
            )  # fmt: skip
        except jwt.InvalidTokenError:
            continue
        if claims["sub"] != client or claims["exp"] > time.time() + LONGEST:
            break
        seen.once(f"assertion {client} {claims['jti']}", claims["exp"])
        return
    raise Unauthenticated("dpop.client-assertion-not-good")


def read_proof(proof: str, *, method: str, host: str, path: str, token: str | None, seen: ReplayCache) -> str:
    """The thumbprint of the key that signed the proof for this request and token (RFC 9449 §4.3).

    Raises Unauthenticated. `host` is the Host header of the request. The scheme is not compared, because TLS may end at
    a proxy.
    """
    bad = Unauthenticated("dpop.dpop-proof-not-good")
    try:
        header = jwt.get_unverified_header(proof)
        jwk = header["jwk"]
        key, algorithm = read_key(jwk)
        if header.get("typ") != "dpop+jwt" or header.get("alg") != algorithm:
            raise bad
        claims = jwt.decode(
            proof, key, algorithms=[algorithm],
            options={"require": ["jti", "htm", "htu", "iat"], "verify_aud": False, "verify_iat": False},
        )  # fmt: skip
        address = urlsplit(str(claims["htu"]))
        fits = (claims["htm"], address.netloc, address.path) == (method, host, path)
        wanted = _b64(hashlib.sha256(token.encode()).digest()) if token is not None else None
        late = abs(time.time() - float(claims["iat"])) > DRIFT
        name = str(claims["jti"])
    except (jwt.PyJWTError, Malformed, KeyError, TypeError, ValueError) as error:
        raise bad from error
    if not fits or late or claims.get("ath") != wanted or len(name) > 256:
        raise bad
    key_id = thumbprint(jwk)
    seen.once(f"proof {key_id} {name}", time.time() + 2 * DRIFT)
    return key_id


def _b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
