"""Access tokens: OAuth 2.0 client credentials (RFC 6749 §4.4) for short-lived bearer tokens (RFC 7519, EdDSA)."""

from __future__ import annotations

import hashlib
import secrets
import time
from dataclasses import dataclass

import jwt
import msgspec

from credit.actor import Actor, Role
from credit.errors import Unauthenticated
from credit.keys import KeyRing, SigningKey
from credit.messages import Text
from serving.auth.access_database import AccessDatabase
from serving.auth.claims import Claims, Name, read_claims, read_header
from serving.auth.clients import KINDS, Client, Network, RateLimit, is_within
from serving.auth.dpop import ProofUse, ReplayCache, read_assertion, read_proof
from serving.auth.own_name import OwnName
from serving.auth.token_requests import ClientRefused, TokenRefused, TokenRequest
from serving.state.decision_cache import DecisionCache

ISSUER, AUDIENCE, LIFETIME = "haihe-service", "haihe-scores", 15 * 60  # seconds
MOST = 4096  # tokens cached
_REQUIRED = ["exp", "iat", "iss", "aud", "sub", "jti", "scope"]


class Confirmation(Claims, frozen=True):
    """The key that a token is bound to (RFC 7800); a kind of confirmation that we do not know is no confirmation."""

    jkt: Name | None = None
    certificate: Name | None = msgspec.field(default=None, name="x5t#S256")  # RFC 8705 §3.1

    def __post_init__(self) -> None:
        """Raise ValueError when no binding is one that we know."""
        if self.jkt is None and self.certificate is None:
            raise ValueError("an unknown binding")


class TokenClaims(Claims, frozen=True):
    """The claims of our own tokens (RFC 9068)."""

    sub: Name
    scope: str
    exp: float
    cnf: Confirmation | None = None


@dataclass(frozen=True, slots=True)
class Bearer:
    """What a valid token grants: to which bank, with which scopes and limit, and the key it is bound to, if any."""

    by: Actor
    scopes: frozenset[str]
    expires: int  # seconds since 1970
    limit: RateLimit
    bound_to: str | None = None  # the thumbprint of the client's key
    networks: tuple[Network, ...] = ()  # from which it may be used; without any, from everywhere
    certificate: str | None = None  # the thumbprint of the client's TLS certificate that it is bound to
    kind: str = "bank"  # of the client: a bank or an agency


@dataclass(frozen=True, slots=True)
class RequestCredentials:
    """The credentials of a request, and the parts of it that a DPoP proof must fit."""

    method: str
    path: str
    authorization: str
    proof: str = ""
    peer: str = ""  # the address of the client
    certificate: str = ""  # the thumbprint of the client's TLS certificate, which the proxy has verified
    certificate_subject: str = ""  # and its subject and issuer


class Tokens:
    """Issues tokens with the service's Ed25519 key, and verifies those of its older keys that are still in the ring."""

    def __init__(
        self, key: SigningKey, access: AccessDatabase, ring: KeyRing, seen: ReplayCache | None = None,
        own_name: OwnName | None = None,
    ) -> None:  # fmt: skip
        """One key can sign both JWTs and DSSE envelopes, because the signed bytes of the two never coincide."""
        self._key, self._keyid, self._access = key.private, key.keyid, access
        self._publics = {**ring.keys.get(key.zone, {}), key.keyid: key.private.public_key()}
        self._good: DecisionCache[bytes, Bearer] = DecisionCache(MOST)
        self._seen, self._own_name = seen or ReplayCache(), own_name or OwnName()

    def issue(self, request: TokenRequest, credentials: RequestCredentials | None = None) -> dict[str, str | int]:
        """The successful answer of RFC 6749 §5.1. Raises TokenRefused. It takes about 50 ms: run it off the event loop.

        A request with a DPoP proof gets a token bound to the key of the proof (RFC 9449 §5), and one over a connection
        with a client certificate a token bound to that (RFC 8705 §3).
        """
        try:
            client = self._client(request, credentials)
            if credentials is not None and not client.may_call_from(credentials.peer):
                raise Unauthenticated("tokens.not-from-here")
            bound_to = self._bound_to(credentials)
        except Unauthenticated as wrong:
            is_clock = wrong.message.id == "dpop.clock-differs"  # which discloses nothing about who is registered
            failed = Text.of("token-requests.client-authentication-failed")
            raise ClientRefused(wrong.message if is_clock else failed) from wrong
        if request.scopes - client.scopes:
            raise TokenRefused("invalid_scope", Text.of("token-requests.scope-not-allowed"))
        scope = " ".join(sorted(request.scopes or client.scopes))
        return {
            "access_token": self.sign(client, scope, bound_to, credentials.certificate if credentials else ""),
            "token_type": "DPoP" if bound_to else "Bearer",
            "expires_in": LIFETIME,
            "scope": scope,
        }

    def _client(self, request: TokenRequest, credentials: RequestCredentials | None) -> Client:
        if request.by_certificate:
            return self._client_of_certificate(request.name, credentials)
        if not request.assertion:
            return self._access.check(request.name, request.secret)
        client = self._access.client(request.name)
        path = credentials.path if credentials is not None else ""
        keys = self._access.keys(request.name)
        read_assertion(request.assertion, request.name, keys, path, self._own_name, self._seen)
        if client is None or client.disabled:
            raise Unauthenticated("tokens.client-authentication-failed")
        return client

    def _client_of_certificate(self, name: str, credentials: RequestCredentials | None) -> Client:
        """The client whose registered subject and issuer the presented certificate has (RFC 8705 §2.1)."""
        client, subject = self._access.client(name), self._access.certificate_subject(name)
        presented = credentials.certificate_subject if credentials is not None else ""
        if client is None or client.disabled or not subject or subject != presented:
            raise Unauthenticated("tokens.client-authentication-failed")
        return client

    def _bound_to(self, credentials: RequestCredentials | None) -> str | None:
        if credentials is None or not credentials.proof:
            return None
        return self._proof_key(credentials, None, self._seen)

    def sign(self, client: Client, scope: str, bound_to: str | None = None, certificate: str = "") -> str:
        """A token for `client`, valid for LIFETIME seconds from now, and for those who hold what it is bound to."""
        now = int(time.time())
        bindings = {name: value for name, value in (("jkt", bound_to), ("x5t#S256", certificate)) if value}
        claims = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": client.name,
            "scope": scope,
            "jti": secrets.token_hex(16),
            "iat": now,
            "exp": now + LIFETIME,
            **({"cnf": bindings} if bindings else {}),
        }
        return jwt.encode(claims, self._key, algorithm="EdDSA", headers={"typ": "at+jwt", "kid": self._keyid})

    def read(self, authorization: str) -> Bearer:
        """The bearer of an Authorization header. Raises Unauthenticated, also when the client has been disabled since.

        A valid token is verified once, and its bearer is cached until it expires or a client is changed.
        """
        now, digest = self._access.generation(), hashlib.sha256(authorization.encode()).digest()
        cached = self._good.get(digest, now)
        if cached is not None and cached.expires > time.time():
            return cached
        self._good.forget(digest)
        bearer = self._verify(authorization)
        self._good.put(digest, bearer, now)
        return bearer

    async def admit(self, credentials: RequestCredentials) -> Bearer:
        """The bearer of a request. Raises Unauthenticated, also when a bound token comes without a proof of its key."""
        bearer = self.read(credentials.authorization)
        if bearer.networks and not is_within(credentials.peer, bearer.networks):
            raise Unauthenticated("tokens.token-may-not-be-used")
        if bearer.certificate is not None and bearer.certificate != credentials.certificate:
            raise Unauthenticated("tokens.token-bound-to-certificate")
        scheme, _, token = credentials.authorization.partition(" ")
        if bearer.bound_to is None:
            if scheme.lower() == "bearer":
                return bearer
            raise Unauthenticated("tokens.token-not-bound-to-key")
        if scheme.lower() != "dpop" or not credentials.proof:  # RFC 9449 §7.1: a bound token is no bearer token
            raise Unauthenticated("tokens.token-bound-to-key")
        use = ProofUse()
        proof_key = self._proof_key(credentials, token.strip(), use)
        if proof_key != bearer.bound_to:
            raise Unauthenticated("tokens.proof-by-another-key-than")
        await self._seen.once_soon(use)
        return bearer

    def _proof_key(self, credentials: RequestCredentials, token: str | None, seen: ReplayCache | ProofUse) -> str:
        return read_proof(
            credentials.proof, method=credentials.method, path=credentials.path, token=token, own_name=self._own_name,
            seen=seen,
        )  # fmt: skip

    def _verify(self, authorization: str) -> Bearer:
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() not in ("bearer", "dpop") or not token:
            raise Unauthenticated("tokens.no-bearer-token")
        header = read_header(token.strip(), "tokens.token-not-valid")
        public = self._publics.get(self._keyid if header.kid is None else header.kid)
        if public is None:
            raise Unauthenticated("tokens.token-not-valid")
        claims = read_claims(
            token.strip(), TokenClaims, "tokens.token-not-valid", public,
            algorithms=["EdDSA"], audience=AUDIENCE, issuer=ISSUER, options={"require": _REQUIRED, "verify_exp": False},
        )  # fmt: skip
        if not time.time() < claims.exp:
            raise Unauthenticated("tokens.token-expired")
        client = self._access.client(claims.sub)
        if client is None or client.disabled:
            raise Unauthenticated("tokens.token-client-may-not-call")
        scopes = frozenset(claims.scope.split()) & client.scopes & KINDS.get(client.kind, frozenset())
        bound_to, certificate = (claims.cnf.jkt, claims.cnf.certificate) if claims.cnf else (None, None)
        by = Actor(client.name, Role.BANK)
        return Bearer(by, scopes, int(claims.exp), client.limit, bound_to, client.networks, certificate, client.kind)
