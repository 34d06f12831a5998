"""The hub as an OAuth 2 provider: the login address, the token for a code, and the owner of a token.

The endpoints are those of JupyterHub's documentation ("Services", "OAuth"): RFC 6749 §4.1 with PKCE (RFC 7636, S256).
"""

from __future__ import annotations

import base64
import hashlib
import ssl
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import unquote, urlencode, urlsplit

import httpx

from credit.errors import CreditError, Unauthenticated
from credit.messages import Text
from lab.console.settings import HubSettings

CACHE_SECONDS = 10.0  # how long a token's owner is cached; a log-out at the hub takes effect after at most this time


class HubUnavailable(CreditError):
    """The hub does not answer (HTTP 502)."""

    status, slug = 502, "hub-silent"


@dataclass(frozen=True, slots=True)
class HubSignIn:
    """One sign-in of a user at the hub; ``this`` is true for the session of the page."""

    factor: str
    at: datetime
    this: bool


@dataclass(slots=True)
class Hub:
    """The hub that started this service."""

    settings: HubSettings
    _client: httpx.Client = field(init=False, repr=False)
    _root: str = field(init=False)
    _owners: dict[str, tuple[float, str]] = field(default_factory=dict, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def __post_init__(self) -> None:
        parts = urlsplit(self.settings.api_url)
        by_socket = parts.scheme == "http+unix"
        # A unix socket uses no TLS, and loading the trusted certificates would take 40 ms.
        no_tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        transport = httpx.HTTPTransport(uds=unquote(parts.netloc), verify=no_tls) if by_socket else None
        self._client = httpx.Client(transport=transport, timeout=10, trust_env=False)
        self._root = f"http://hub{parts.path}" if by_socket else self.settings.api_url
        self._root = self._root.rstrip("/")

    def authorize_url(self, state: str, verifier: str) -> str:
        """The address at which a browser logs in; ``verifier`` is needed again to exchange the code (PKCE)."""
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        parameters = {
            "client_id": self.settings.client_id,
            "redirect_uri": self.settings.callback,
            "response_type": "code",
            "state": state,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        return f"{self.settings.hub}api/oauth2/authorize?{urlencode(parameters)}"

    def token(self, code: str, verifier: str) -> str:
        """The access token for a code.

        Raises :class:`Unauthenticated` when the hub refuses the code, :class:`HubUnavailable` when it does not answer.
        """
        answer = self._request(
            "POST",
            "/oauth2/token",
            data={
                "client_id": self.settings.client_id,
                "client_secret": self.settings.api_token,
                "grant_type": "authorization_code",
                "code": code,
                "code_verifier": verifier,
                "redirect_uri": self.settings.callback,
            },
        )
        if answer.status_code != 200 or "access_token" not in (body := answer.json()):
            raise Unauthenticated("hub.hub-gave-no-token-for")
        return str(body["access_token"])

    def owner(self, token: str) -> str:
        """The name of the user to whom the hub issued a token for this service; the answer is cached.

        Raises :class:`Unauthenticated` for a token that the hub does not know or that is not for this service.
        """
        name = self._cached_owner(token)
        if name:
            return name
        answer = self._request("GET", "/user", headers={"Authorization": f"token {token}"})
        user = answer.json() if answer.status_code == 200 else {}
        accepted_scopes = {"access:services", f"access:services!service={self.settings.service_name}"}
        if user.get("kind") != "user" or not accepted_scopes & set(user.get("scopes", ())):
            raise Unauthenticated("hub.hub-does-not-know-session")
        with self._lock:
            self._owners = {each: when for each, when in self._owners.items() if when[0] > time.monotonic()}
            self._owners[_digest(token)] = (time.monotonic() + CACHE_SECONDS, str(user["name"]))
        return str(user["name"])

    def sign_ins(self, token: str) -> list[HubSignIn]:
        """The sign-ins of the token's user, the newest first; raises :class:`Unauthenticated` for an ended session."""
        answer = self._request("GET", "/sign-ins", headers={"Authorization": f"token {token}"})
        if answer.status_code != 200:
            raise Unauthenticated("hub.hub-does-not-know-session")
        return [
            HubSignIn(str(each["factor"]), datetime.fromisoformat(each["at"]), bool(each["this"]))
            for each in answer.json()["sign_ins"]
        ]

    def sign_out_everywhere(self, token: str) -> None:
        """End every session of the token's user; raises :class:`Unauthenticated` when the hub refuses."""
        answer = self._request("DELETE", "/sign-ins", headers={"Authorization": f"token {token}"})
        self.forget_token(token)
        if answer.status_code != 204:
            raise Unauthenticated("hub.hub-does-not-know-session")

    def forget_token(self, token: str) -> None:
        """Remove a token from the cache; the hub itself revokes it at log-out."""
        with self._lock:
            self._owners.pop(_digest(token), None)

    def is_available(self) -> bool:
        """True when the hub answers requests."""
        try:
            return self._request("GET", "/").status_code == 200
        except HubUnavailable:
            return False

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _cached_owner(self, token: str) -> str:
        with self._lock:
            until, name = self._owners.get(_digest(token), (0.0, ""))
        return name if until > time.monotonic() else ""

    def _request(
        self, method: str, path: str, *, data: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None
    ) -> httpx.Response:
        try:
            return self._client.request(method, f"{self._root}{path}", data=data, headers=headers)
        except httpx.HTTPError as error:
            raise HubUnavailable("hub.hub-does-not-answer", why=Text.verbatim(type(error).__name__)) from error


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
