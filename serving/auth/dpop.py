"""What a client signs with its own key: assertions instead of a secret (RFC 7523) and proofs that it holds the key its
token is bound to (DPoP, RFC 9449).

The key decides the algorithm, never the header: Ed25519 is EdDSA, P-256 is ES256, RSA is PS256, and that is all.
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
LONGEST, DRIFT = 300, 60  # seconds: an assertion's life, and how far a proof's time may be from ours
MOST, SWEEP = 100_000, 5.0  # names of proofs remembered; seconds between two looks at how many there are
_KINDS = {("OKP", "Ed25519"): "EdDSA", ("EC", "P-256"): "ES256", ("RSA", None): "PS256"}
_MEMBERS = {"OKP": ("crv", "kty", "x"), "EC": ("crv", "kty", "x", "y"), "RSA": ("e", "kty", "n")}  # RFC 7638 §3.2


class ReplayCache:
    """Names (`jti`) seen by any of the service's processes: each is good once while it lives."""

    def __init__(self, shared: CoordinationDb | None = None, clock: Callable[[], float] = time.time) -> None:
        """Without `shared`, this process's own."""
        self._shared, self._clock = shared or CoordinationDb(), clock
        self._next = 0.0  # when to look for names that have ended

    def once(self, name: str, until: float) -> None:
        """Raises Unauthenticated when `name` was here before, or when so many are held that it cannot be known."""
        now = self._clock()
        if now >= self._next:
            self._next = now + SWEEP
            self._shared.rows("DELETE FROM seen WHERE until <= ?", now)
            if self._shared.rows("SELECT count(*) FROM seen")[0][0] >= MOST:
                self._next = now
                raise Unauthenticated("dpop.too-many-proofs-at-once")
        sql = (
            "INSERT INTO seen VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET until = excluded.until "
            "WHERE until <= ? RETURNING 1"
        )
        if not self._shared.rows(sql, hashlib.sha256(name.encode()).hexdigest(), until, now):
            raise Unauthenticated("dpop.proof-used-before")


def read_key(told: Mapping[str, Any]) -> tuple[jwt.PyJWK, str]:
    """A public JWK and its algorithm. Raises Malformed for another kind, a weak one, or one with its private part."""
    algorithm = _KINDS.get((str(told.get("kty")), told.get("crv")))
    if algorithm is None or {"d", "k", "p", "q"} & set(told):
        raise Malformed("dpop.not-public-key-for-signing")
    try:
        key = jwt.PyJWK({name: told[name] for name in _MEMBERS[told["kty"]]}, algorithm)
    except (jwt.PyJWTError, KeyError, ValueError, TypeError) as bad:
        raise Malformed("dpop.not-public-key-for-signing-parts-cannot-be") from bad
    if algorithm == "PS256" and key.key.key_size < 2048:
        raise Malformed("dpop.not-public-key-for-signing-rsa-key-takes")
    return key, algorithm


def thumbprint(told: Mapping[str, Any]) -> str:
    """The key's name: RFC 7638's thumbprint, SHA-256 in base64url."""
    return _b64(hashlib.sha256(canonical({name: told[name] for name in _MEMBERS[told["kty"]]})).digest())


def read_assertion(
    assertion: str, client: str, keys: Sequence[Mapping[str, Any]], audiences: Sequence[str], seen: ReplayCache
) -> None:
    """RFC 7523 §3: raises Unauthenticated unless a key of `client` signed it for us, lately, and it is new."""
    for told in keys:
        key, algorithm = read_key(told)
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
    """RFC 9449 §4.3: the thumbprint of the key that made the proof for this very request (and token).

    Raises Unauthenticated. `host` is what the client calls us; the scheme is not compared, TLS may end before us.
    """
    bad = Unauthenticated("dpop.dpop-proof-not-good")
    try:
        header = jwt.get_unverified_header(proof)
        told = header["jwk"]
        key, algorithm = read_key(told)
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
    print_ = thumbprint(told)
    seen.once(f"proof {print_} {name}", time.time() + 2 * DRIFT)
    return print_


def _b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
