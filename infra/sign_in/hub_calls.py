"""The calls of the command line to the hub: the address to log in at, the token for a code, and who it is."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

import httpx

from credit.errors import Malformed, Unauthenticated
from credit.messages import Text
from infra.desk.hub_tokens import HubSilent
from infra.hub.cli_service import CLIENT, redirect_uri

LOOPBACK = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class HubCalls:
    """The hub at ``address``, as people open it; raises :class:`Malformed` for one to which no token may be sent.

    The connection is encrypted (https), except to this machine itself.
    """

    address: str
    port: int

    def __post_init__(self) -> None:
        parts = urlsplit(self.address)
        private = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK)
        if not parts.hostname or not private:
            raise Malformed("hub-calls.not-an-address")

    def login_url(self, state: str, verifier: str) -> str:
        """Where the user logs in: always again, also in a browser that is signed in."""
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        parameters = {
            "client_id": CLIENT,
            "redirect_uri": redirect_uri(self.port),
            "response_type": "code",
            "state": state,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        following = f"/hub/api/oauth2/authorize?{urlencode(parameters)}"
        return f"{self.address.rstrip('/')}/hub/login-again?{urlencode({'next': following})}"

    def token(self, code: str, verifier: str) -> str:
        """The token for a code; raises :class:`Unauthenticated` when the hub refuses it."""
        data = {
            "client_id": CLIENT,
            "grant_type": "authorization_code",
            "code": code,
            "code_verifier": verifier,
            "redirect_uri": redirect_uri(self.port),
        }
        answer = self._call("POST", "oauth2/token", data=data)
        token = answer.json().get("access_token") if answer.status_code == 200 else None
        if not isinstance(token, str):
            raise Unauthenticated("hub-calls.code-refused")
        return token

    def sign_in(self, token: str) -> dict[str, str]:
        """Account, factor and moments of a token's sign-in; raises :class:`Unauthenticated` for an unknown token."""
        answer = self._call("GET", "sign-in", headers={"Authorization": f"token {token}"})
        if answer.status_code != 200:
            raise Unauthenticated("hub-tokens.not-known")
        return {str(name): str(value) for name, value in answer.json().items()}

    def revoke(self, token: str) -> None:
        """End a token; one that the hub does not know has ended already."""
        self._call("DELETE", "sign-in", headers={"Authorization": f"token {token}"})

    def _call(self, method: str, path: str, **more: Any) -> httpx.Response:
        """One call; raises :class:`HubSilent` when the hub does not answer."""
        try:
            return httpx.request(method, f"{self.address.rstrip('/')}/hub/api/{path}", timeout=10, **more)
        except httpx.HTTPError as error:
            raise HubSilent("hub-tokens.hub-does-not-answer", why=Text.verbatim(type(error).__name__)) from error
