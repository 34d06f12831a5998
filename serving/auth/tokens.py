"""Access tokens: OAuth 2.0 client credentials (RFC 6749 §4.4) for short-lived bearer tokens (RFC 7519, EdDSA)."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass

import jwt

from credit.actor import Actor, Role
from credit.errors import Unauthenticated
from credit.keys import KeyRing, SigningKey
from credit.messages import Text
from serving.auth.access_database import AccessDatabase
from serving.auth.clients import Client, Network, RateLimit, is_within
from serving.auth.dpop import ReplayCache, read_assertion, read_proof
from serving.auth.token_requests import ClientRefused, TokenRefused, TokenRequest
from serving.state.decision_cache import DecisionCache

ISSUER, AUDIENCE, LIFETIME = "haihe-service", "haihe-scores", 15 * 60  # seconds
MOST = 4096  # tokens cached
_REQUIRED = ["exp", "iat", "iss", "aud", "sub", "jti", "scope"]


@dataclass(frozen=True, slots=True)
class Bearer:
    """What a valid token grants: to which bank, with which scopes and limit, and the key it is bound to, if any."""

    by: Actor
    scopes: frozenset[str]
    expires: int  # seconds since 1970
    limit: RateLimit
    bound_to: str | None = None  # the thumbprint of the client's key
    networks: tuple[Network, ...] = ()  # from which it may be used; without any, from everywhere


@dataclass(frozen=True, slots=True)
class RequestCredentials:
    """The credentials of a request, and the parts of it that a DPoP proof must fit."""

    method: str
    host: str
    path: str
    authorization: str
    proof: str = ""
    peer: str = ""  # the address of the client


class Tokens:
    """Issues tokens with the service's Ed25519 key, and verifies those of its older keys that are still in the ring."""

    def __init__(self, key: SigningKey, access: AccessDatabase, ring: KeyRing, seen: ReplayCache | None = None) -> None:
        """One key can sign both JWTs and DSSE envelopes, because the signed bytes of the two never coincide."""
        self._key, self._keyid, self._access = key.private, key.keyid, access
        self._publics = {**ring.keys.get(key.zone, {}), key.keyid: key.private.public_key()}
        self._good: DecisionCache[str, Bearer] = DecisionCache(MOST)
        self._seen = seen or ReplayCache()

    def issue(self, request: TokenRequest, credentials: RequestCredentials | None = None) -> dict[str, str | int]:
        """The successful answer of RFC 6749 §5.1. Raises TokenRefused. It takes about 50 ms: run it off the event loop.

        A request with a DPoP proof gets a token bound to the key of the proof (RFC 9449 §5).
        """
        try:
            client = self._client(request, credentials)
            if credentials is not None and not client.may_call_from(credentials.peer):
                raise Unauthenticated("tokens.not-from-here")
            bound_to = self._bound_to(credentials)
        except Unauthenticated as wrong:
            raise ClientRefused(Text.of("token-requests.client-authentication-failed")) from wrong
        if request.scopes - client.scopes:
            raise TokenRefused("invalid_scope", Text.of("token-requests.scope-not-allowed"))
        scope = " ".join(sorted(request.scopes or client.scopes))
        return {
            "access_token": self.sign(client, scope, bound_to),
            "token_type": "DPoP" if bound_to else "Bearer",
            "expires_in": LIFETIME,
            "scope": scope,
        }

    def _client(self, request: TokenRequest, credentials: RequestCredentials | None) -> Client:
        if not request.assertion:
            return self._access.check(request.name, request.secret)
        client = self._access.client(request.name)
        audiences = [ISSUER] + (
            [f"{s}://{credentials.host}{credentials.path}" for s in ("https", "http")] if credentials else []
        )
        read_assertion(request.assertion, request.name, self._access.keys(request.name), audiences, self._seen)
        if client is None or client.disabled:
            raise Unauthenticated("tokens.client-authentication-failed")
        return client

    def _bound_to(self, credentials: RequestCredentials | None) -> str | None:
        if credentials is None or not credentials.proof:
            return None
        return read_proof(
            credentials.proof,
            method=credentials.method,
            host=credentials.host,
            path=credentials.path,
            token=None,
            seen=self._seen,
        )

    def sign(self, client: Client, scope: str, bound_to: str | None = None) -> str:
        """A token for `client`, valid for LIFETIME seconds from now."""
        now = int(time.time())
        claims = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": client.name,
            "scope": scope,
            "jti": secrets.token_hex(16),
            "iat": now,
            "exp": now + LIFETIME,
            **({"cnf": {"jkt": bound_to}} if bound_to else {}),
        }
        return jwt.encode(claims, self._key, algorithm="EdDSA", headers={"typ": "at+jwt", "kid": self._keyid})

    def read(self, authorization: str) -> Bearer:
        """The bearer of an Authorization header. Raises Unauthenticated, also when the client has been disabled since.

        A valid token is verified once, and its bearer is cached until it expires or a client is changed.
        """
        now = self._access.generation()
        cached = self._good.get(authorization, now)
        if cached is not None and cached.expires > time.time():
            return cached
        self._good.forget(authorization)
        bearer = self._verify(authorization)
        self._good.put(authorization, bearer, now)
        return bearer

    def admit(self, credentials: RequestCredentials) -> Bearer:
        """The bearer of a request. Raises Unauthenticated, also when a bound token comes without a proof of its key."""
        bearer = self.read(credentials.authorization)
        if bearer.networks and not is_within(credentials.peer, bearer.networks):
            raise Unauthenticated("tokens.token-may-not-be-used")
        scheme, _, token = credentials.authorization.partition(" ")
        if bearer.bound_to is None:
            if scheme.lower() == "bearer":
                return bearer
            raise Unauthenticated("tokens.token-not-bound-to-key")
        if scheme.lower() != "dpop" or not credentials.proof:  # RFC 9449 §7.1: a bound token is no bearer token
            raise Unauthenticated("tokens.token-bound-to-key")
        proof_key = read_proof(
            credentials.proof,
            method=credentials.method,
            host=credentials.host,
            path=credentials.path,
            token=token.strip(),
            seen=self._seen,
        )
        if proof_key != bearer.bound_to:
            raise Unauthenticated("tokens.proof-by-another-key-than")
        return bearer

    def _proof_key(self, credentials: RequestCredentials, token: str | None) -> str:
        return read_proof(
            credentials.proof,
            method=credentials.method,
            host=credentials.host,
            path=credentials.path,
            token=token,
            seen=self._seen,
        )

    def _verify(self, authorization: str) -> Bearer:
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() not in ("bearer", "dpop") or not token:
            raise Unauthenticated("tokens.no-bearer-token")
        try:
            keyid = jwt.get_unverified_header(token.strip()).get("kid", self._keyid)
            claims = jwt.decode(
                token.strip(),
                self._publics[keyid],
                algorithms=["EdDSA"],
                audience=AUDIENCE,
                issuer=ISSUER,
                options={"require": _REQUIRED},
            )
        except jwt.ExpiredSignatureError as late:
            raise Unauthenticated("tokens.token-expired") from late
        except (jwt.InvalidTokenError, KeyError, TypeError) as bad:
            raise Unauthenticated("tokens.token-not-valid") from bad
        client = self._access.client(str(claims["sub"]))
        if client is None or client.disabled:
            raise Unauthenticated("tokens.token-client-may-not-call")
        scopes = frozenset(str(claims["scope"]).split()) & client.scopes
        bound_to = (claims.get("cnf") or {}).get("jkt")
        return Bearer(
            Actor(client.name, Role.BANK), scopes, int(claims["exp"]), client.limit, bound_to, client.networks
        )
