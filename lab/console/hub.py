"""The hub as an OAuth 2 provider: where a browser is sent, a token for its code, and whose a token is.

The endpoints are those of JupyterHub's documentation ("Services", "OAuth"); RFC 6749 §4.1 with PKCE (RFC 7636, S256).
"""

from __future__ import annotations

import base64
import hashlib
import ssl
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote, urlencode, urlsplit

import httpx

from credit.errors import CreditError, Unauthenticated
from lab.console.settings import HubSettings

REMEMBERED = 10.0  # seconds a token's owner is remembered: as long may a log-out at the hub go unnoticed


class HubSilent(CreditError):
    """The hub does not answer (HTTP 502)."""

    status, slug = 502, "hub-silent"


@dataclass(slots=True)
class Hub:
    """The hub that started this service."""

    settings: HubSettings
    _client: httpx.Client = field(init=False, repr=False)
    _root: str = field(init=False)
    _known: dict[str, tuple[float, str]] = field(default_factory=dict, repr=False)
    _turn: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def __post_init__(self) -> None:
        parts = urlsplit(self.settings.api_url)
        by_socket = parts.scheme == "http+unix"
        # A socket has no TLS, and to read all that one would trust takes 40 ms.
        no_tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        transport = httpx.HTTPTransport(uds=unquote(parts.netloc), verify=no_tls) if by_socket else None
        self._client = httpx.Client(transport=transport, timeout=10, trust_env=False)
        self._root = f"http://hub{parts.path}" if by_socket else self.settings.api_url
        self._root = self._root.rstrip("/")

    def authorize_url(self, state: str, verifier: str) -> str:
        """Where a browser goes to log in; ``verifier`` is kept and shown with the code."""
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        asked = {
            "client_id": self.settings.client_id,
            "redirect_uri": self.settings.callback,
            "response_type": "code",
            "state": state,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        return f"{self.settings.hub}api/oauth2/authorize?{urlencode(asked)}"

    def token(self, code: str, verifier: str) -> str:
        """The token for a code; raises :class:`Unauthenticated` for a code that is not good."""
        answer = self._ask(
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
        if answer.status_code != 200 or "access_token" not in (told := answer.json()):
            raise Unauthenticated("hub.hub-gave-no-token-for")
        return str(told["access_token"])

    def owner(self, token: str) -> str:
        """The name of the user a token was given to for this service; raises :class:`Unauthenticated`."""
        name = self._remembered(token)
        if name:
            return name
        answer = self._ask("GET", "/user", headers={"Authorization": f"token {token}"})
        told = answer.json() if answer.status_code == 200 else {}
        wanted = {"access:services", f"access:services!service={self.settings.service_name}"}
        if told.get("kind") != "user" or not wanted & set(told.get("scopes", ())):
            raise Unauthenticated("hub.hub-does-not-know-session")
        with self._turn:
            self._known = {each: when for each, when in self._known.items() if when[0] > time.monotonic()}
            self._known[_short(token)] = (time.monotonic() + REMEMBERED, str(told["name"]))
        return str(told["name"])

    def revoke(self, token: str) -> None:
        """Forget a token here at once; the hub ends it with its own log-out."""
        with self._turn:
            self._known.pop(_short(token), None)

    def answers(self) -> bool:
        """True when the hub is there."""
        try:
            return self._ask("GET", "/").status_code == 200
        except HubSilent:
            return False

    def close(self) -> None:
        """Let go of the connections."""
        self._client.close()

    def _remembered(self, token: str) -> str:
        with self._turn:
            until, name = self._known.get(_short(token), (0.0, ""))
        return name if until > time.monotonic() else ""

    def _ask(
        self, method: str, path: str, *, data: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None
    ) -> httpx.Response:
        try:
            return self._client.request(method, f"{self._root}{path}", data=data, headers=headers)
        except httpx.HTTPError as error:
            raise HubSilent("hub.hub-does-not-answer", why=type(error).__name__) from error


def _short(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
