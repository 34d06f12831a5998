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
from typing import Annotated, Any

import jwt
from msgspec import Meta

from credit.canonical import canonical
from credit.errors import Malformed, Unauthenticated
from serving.auth.claims import Claims, Name, read_claims, read_header
from serving.auth.own_name import OwnName
from serving.store.store import Store, open_store
from serving.store.transaction import Act, Transaction

ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
LONGEST, DRIFT = 300, 60  # seconds: longest life of an assertion; largest difference of a proof's time
MOST, SWEEP = 100_000, 5.0  # proofs remembered at most; seconds between two counts of them
_KINDS = {("OKP", "Ed25519"): "EdDSA", ("EC", "P-256"): "ES256", ("RSA", None): "PS256"}
_MEMBERS = {"OKP": ("crv", "kty", "x"), "EC": ("crv", "kty", "x", "y"), "RSA": ("e", "kty", "n")}  # RFC 7638 §3.2


_FIRST_USE = (
    "INSERT INTO seen (name, until) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET until = excluded.until "
    "WHERE seen.until <= ? RETURNING name"
)


class ProofUse:
    """In the place of a `ReplayCache`: what must not have been used before, for a caller that checks it itself."""

    name, until = "", 0.0

    def once(self, name: str, until: float) -> None:
        """Take it down."""
        self.name, self.until = name, until


class ReplayCache:
    """The identifiers (`jti`) that any process of the service has accepted: each is valid once while it lives."""

    def __init__(self, store: Store | None = None, clock: Callable[[], float] = time.time) -> None:
        """Without a `store`, use one of this process alone. `clock` gives seconds since 1970."""
        self._store, self._clock = store or open_store(), clock
        self._next = 0.0  # when to delete expired identifiers

    def once(self, name: str, until: float) -> None:
        """Raise Unauthenticated when `name` was used before, or when too many are stored to accept another one.

        `until` is the end of its life in seconds since 1970.
        """
        self._store.run(self._first_use(name, until), durable=False)

    async def once_soon(self, use: ProofUse) -> None:
        """As `once`, without making the event loop wait for the store."""
        await self._store.apply(self._first_use(use.name, use.until))

    def _first_use(self, name: str, until: float) -> Act[None]:
        now = self._clock()
        is_due = now >= self._next
        if is_due:
            self._next = now + SWEEP

        def act(transaction: Transaction) -> None:
            if is_due:
                transaction.rows("DELETE FROM seen WHERE until <= ?", now)
                if transaction.rows("SELECT count(*) FROM seen")[0][0] >= MOST:
                    self._next = now
                    raise Unauthenticated("dpop.too-many-proofs-at-once")
            if not transaction.rows(_FIRST_USE, hashlib.sha256(name.encode()).hexdigest(), until, now):
                raise Unauthenticated("dpop.proof-used-before")

        return act


def read_key(jwk: Mapping[str, Any]) -> tuple[jwt.PyJWK, str]:
    """A public JWK and its algorithm. Raises Malformed for another kind, a weak key, or one with its private part."""
    algorithm = _KINDS.get((str(jwk.get("kty")), str(jwk["crv"]) if "crv" in jwk else None))
    if algorithm is None or {"d", "k", "p", "q"} & set(jwk):
        raise Malformed("dpop.not-public-key-for-signing")
    try:
        key = jwt.PyJWK({name: jwk[name] for name in _MEMBERS[jwk["kty"]]}, algorithm)
    except Exception as bad:  # a key from outside: whatever is wrong with it, it is none
        raise Malformed("dpop.not-public-key-for-signing-parts-cannot-be") from bad
    if algorithm == "PS256" and key.key.key_size < 2048:
        raise Malformed("dpop.not-public-key-for-signing-rsa-key-takes")
    return key, algorithm


def thumbprint(jwk: Mapping[str, Any]) -> str:
    """The thumbprint of a key (RFC 7638): SHA-256 in base64url."""
    return _b64(hashlib.sha256(canonical({name: jwk[name] for name in _MEMBERS[jwk["kty"]]})).digest())


class AssertionClaims(Claims, frozen=True):
    """The claims of an assertion (RFC 7523 §3)."""

    iss: Name
    sub: Name
    aud: Name | list[Name]
    jti: Name
    exp: float


class ProofClaims(Claims, frozen=True):
    """The claims of a proof (RFC 9449 §4.2)."""

    jti: Name
    htm: Name
    htu: Annotated[str, Meta(max_length=2048)]
    iat: float
    ath: Name | None = None


def read_assertion(
    assertion: str, client: str, keys: Sequence[Mapping[str, Any]], path: str, own_name: OwnName, seen: ReplayCache
) -> None:
    """Raise Unauthenticated unless a key of `client` signed the assertion recently, for us, and once (RFC 7523 §3).

    The clock of the client may differ by DRIFT seconds.
    """
    bad = Unauthenticated("dpop.client-assertion-not-good")
    for jwk in keys:
        key, algorithm = read_key(jwk)
        options = {"verify_aud": False, "verify_exp": False}
        try:
            claims = read_claims(
                assertion, AssertionClaims, "dpop.client-assertion-not-good", key,
                algorithms=[algorithm], issuer=client, options=options,
            )  # fmt: skip
        except Unauthenticated:
            continue
        audiences = [claims.aud] if isinstance(claims.aud, str) else claims.aud
        if claims.sub != client or not any(own_name.is_audience(one, path) for one in audiences):
            raise bad
        now = time.time()
        if not now - DRIFT < claims.exp < now + LONGEST + DRIFT:
            raise Unauthenticated("dpop.clock-differs", drift=DRIFT, longest=LONGEST)
        seen.once(f"assertion {client} {claims.jti}", claims.exp + DRIFT)
        return
    raise bad


def read_proof(
    proof: str, *, method: str, path: str, token: str | None, own_name: OwnName, seen: ReplayCache | ProofUse
) -> str:
    """The thumbprint of the key that signed the proof for this request and token (RFC 9449 §4.3).

    Raises Unauthenticated.
    """
    bad = Unauthenticated("dpop.dpop-proof-not-good")
    header = read_header(proof, "dpop.dpop-proof-not-good")
    if header.typ != "dpop+jwt" or header.jwk is None:
        raise bad
    try:
        key, algorithm = read_key(header.jwk)
    except Malformed as weak:
        raise bad from weak
    if header.alg != algorithm:
        raise bad
    claims = read_claims(
        proof, ProofClaims, "dpop.dpop-proof-not-good", key,
        algorithms=[algorithm], options={"verify_aud": False, "verify_exp": False},
    )  # fmt: skip
    wanted = _b64(hashlib.sha256(token.encode()).digest()) if token is not None else None
    if claims.htm != method or not own_name.is_address(claims.htu, path) or claims.ath != wanted:
        raise bad
    if not abs(time.time() - claims.iat) <= DRIFT:
        raise Unauthenticated("dpop.clock-differs", drift=DRIFT, longest=LONGEST)
    key_id = thumbprint(header.jwk)
    seen.once(f"proof {key_id} {claims.jti}", time.time() + 2 * DRIFT)
    return key_id


def _b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
