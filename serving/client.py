"""The bank's side: get a token, ask for a score, and meet the service's refusals as the errors they are."""

from __future__ import annotations

import time
from collections.abc import Mapping
from types import TracebackType
from typing import Any
from urllib.parse import quote_plus

import httpx

from credit.errors import Broken, CreditError, Lapsed, Malformed, Missing, Refused, Unauthenticated

_CLASSES: Mapping[int, type[CreditError]] = {
    401: Unauthenticated,
    403: Refused,
    404: Missing,
    413: Malformed,
    422: Malformed,
    503: Lapsed,
}
_EARLY = 30  # seconds before its end at which a token is renewed


class ServiceClient:
    """A client of the scoring service at `url` for one bank; use it as a context manager. Not for several threads."""

    def __init__(
        self, url: str, bank: str, secret: str, *, timeout: float = 10.0, http: httpx.Client | None = None
    ) -> None:
        """`http` lets a caller bring a client of its own (a proxy, mutual TLS), with its own base address."""
        self._http = http or httpx.Client(base_url=url, timeout=timeout)
        self._credentials = (quote_plus(bank), quote_plus(secret))  # RFC 6749 §2.3.1
        self._token, self._good_until = "", 0.0

    def __enter__(self) -> ServiceClient:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def score(self, uscc: str, purpose: str, mandate: str) -> dict[str, Any]:
        """The answer for one subject. Raises the CreditError that the service's problem document stands for."""
        body = {"uscc": uscc, "purpose": purpose, "mandate": mandate}
        response = self._send("POST", "/v1/scores", json=body, headers={"Authorization": f"Bearer {self.token()}"})
        if response.status_code == 401 and self._token:  # the service was given new keys: one new token, one more try
            self._token = ""
            response = self._send("POST", "/v1/scores", json=body, headers={"Authorization": f"Bearer {self.token()}"})
        return _answer(response)

    def ready(self) -> dict[str, Any]:
        """What the service says of its readiness; raises Lapsed when it is not ready."""
        return _answer(self._send("GET", "/ready"))

    def token(self) -> str:
        """The bearer token in use, renewed when it is about to end. Raises Unauthenticated."""
        if not self._token or time.monotonic() >= self._good_until:
            form = {"grant_type": "client_credentials"}
            response = self._send("POST", "/oauth2/token", data=form, auth=self._credentials)
            if response.status_code != 200:
                why = str(_json(response).get("error", ""))
                raise Unauthenticated("No token was given", why=why, remedy="Check the bank's name and secret")
            given = _json(response)
            self._token = str(given["access_token"])
            self._good_until = time.monotonic() + int(given["expires_in"]) - _EARLY
        return self._token

    def _send(self, method: str, path: str, **options: Any) -> httpx.Response:
        try:
            return self._http.request(method, path, **options)
        except httpx.HTTPError as error:
            remedy = "Is it running? Start it with `haihe serve`"
            raise Lapsed("The scoring service cannot be reached", why=type(error).__name__, remedy=remedy) from error


def _json(response: httpx.Response) -> dict[str, Any]:
    try:
        told = response.json()
    except ValueError:
        told = None
    return told if isinstance(told, dict) else {}


def _answer(response: httpx.Response) -> dict[str, Any]:
    told = _json(response)
    if response.status_code == 200 and told:
        return told
    kind = _CLASSES.get(response.status_code, Broken)
    what = str(told.get("title") or f"The scoring service answered {response.status_code}")
    why, remedy = str(told.get("detail", "")), str(told.get("remedy", ""))
    if issubclass(kind, Refused):
        raise kind(what, why=why, remedy=remedy, findings=told.get("findings", ()))
    raise kind(what, why=why, remedy=remedy)
