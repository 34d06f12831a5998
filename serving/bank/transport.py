"""How a bank's client sends: with a token that it renews, again while patience lasts, and verifying what comes.

Nothing is sent here: generators say what to send and when to wait, so the client that waits and the one that is awaited
are one and the same.
"""

from __future__ import annotations

import random
import time
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from math import ceil
from typing import Any
from urllib.parse import quote_plus

import httpx

from credit.errors import Broken, CreditError, Lapsed, Malformed, Missing, Refused, Unauthenticated
from credit.keys import KeyRing
from credit.messages import Text
from serving.audit.signatures import HEADER, verify
from serving.auth.client_key import ClientKey
from serving.errors import TooMany

_CLASSES: Mapping[int, type[CreditError]] = {
    401: Unauthenticated, 403: Refused, 404: Missing, 408: Lapsed, 413: Malformed, 422: Malformed,
    502: Lapsed, 503: Lapsed, 504: Lapsed,
}  # fmt: skip
_AGAIN = {408, 429, 502, 503, 504}
_NO_RESPONSE = 599  # a response of our own: no other came
_EARLY = 30  # seconds before its end at which a token is renewed


@dataclass(frozen=True, slots=True)
class OutgoingRequest:
    """A request to make."""

    method: str
    path: str
    options: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Pause:
    """A time to wait."""

    seconds: float


Operation = Generator[OutgoingRequest | Pause, httpx.Response | None, Any]


def unreachable(error: httpx.HTTPError) -> httpx.Response:
    """What stands for a response when none came."""
    return httpx.Response(_NO_RESPONSE, json={"detail": type(error).__name__})


class Transport:
    """One bank's token, and what is sent with it."""

    def __init__(
        self, bank: str, secret: str, ring: KeyRing | None, patience: float, *, url: str = "",
        key: ClientKey | None = None,
    ) -> None:  # fmt: skip
        """Nothing is sent yet. With a `key` of the bank's it takes no secret, and tokens are bound to the key."""
        self._bank, self._key, self._url = bank, key, url.rstrip("/")
        self._credentials = (quote_plus(bank), quote_plus(secret))  # RFC 6749 §2.3.1
        self.ring, self._patience = ring, patience
        self._token, self._good_until = "", 0.0

    def signed(self, method: str, path: str, options: dict[str, Any]) -> Operation:
        """Send, and take what comes only when the service signed it, where its keys are known."""
        response = yield from self._authorised(method, path, options)
        told = read_response(response)
        self._check(response)
        return told

    def signed_file(self, path: str, options: dict[str, Any]) -> Operation:
        """Bytes that are no JSON, and the signature over them: to be kept together."""
        response = yield from self._authorised("GET", path, options)
        if response.status_code != 200:
            read_response(response)
        self._check(response)
        return response.content, response.headers.get(HEADER, "")

    def _check(self, response: httpx.Response) -> None:
        if self.ring is not None:
            verify(response.content, response.headers.get(HEADER, ""), self.ring)

    def _authority(self, method: str, path: str) -> dict[str, str]:
        if self._key is None:
            return {"Authorization": f"Bearer {self._token}"}
        proof = self._key.proof(method, self._url + path, self._token)
        return {"Authorization": f"DPoP {self._token}", "DPoP": proof}

    def _authorised(self, method: str, path: str, options: dict[str, Any]) -> Operation:
        """Send with a token, a new one when this is refused, and again while patience lasts.

        Nothing is done twice by it: it is a question, it has an idempotency key, or the second time is as the first.
        """
        end, pause, renewed = time.monotonic() + self._patience, 0.1, False
        while True:
            response = yield from self._renew()
            if response is None:
                headers = {**options.get("headers", {}), **self._authority(method, path)}
                response = yield OutgoingRequest(method, path, {**options, "headers": headers})
                assert response is not None
            if response.status_code == 401 and not renewed:  # the service was given new keys: one new token
                self._token, renewed = "", True
                continue
            wait = max(pause * random.uniform(0.5, 1.5), _after(response))
            if response.status_code not in {_NO_RESPONSE, *_AGAIN} or time.monotonic() + wait > end:
                return response
            yield Pause(wait)
            pause *= 2

    def _renew(self) -> Operation:
        """Have a token that is good for a while; else the response of who is too busy to give one, or of nobody.

        Raises Unauthenticated when none is given.
        """
        if self._token and time.monotonic() < self._good_until:
            return None
        form = {"grant_type": "client_credentials"}
        sent: dict[str, Any] = {"data": form, "auth": self._credentials}
        if self._key is not None:
            proof = self._key.proof("POST", f"{self._url}/oauth2/token")
            sent = {"data": {**form, **self._key.form(self._bank)}, "headers": {"DPoP": proof}}
        response = yield OutgoingRequest("POST", "/oauth2/token", sent)
        assert response is not None
        if response.status_code in {_NO_RESPONSE, *_AGAIN}:
            return response
        told = _json(response)
        if response.status_code != 200:
            why = str(told.get("error", ""))
            raise Unauthenticated("transport.no-token-given", why=Text.verbatim(why))
        self._token = str(told["access_token"])
        self._good_until = time.monotonic() + int(told["expires_in"]) - _EARLY
        return None


def _after(response: httpx.Response) -> float:
    """The seconds that Retry-After asks for, said as a number or as a time (RFC 9110 §10.2.3); 0 when it says none."""
    told = response.headers.get("Retry-After", "")
    if told.isascii() and told.isdigit():
        return float(told)
    try:
        when = parsedate_to_datetime(told)
    except ValueError:
        return 0.0
    return max(0.0, (when.replace(tzinfo=when.tzinfo or UTC) - datetime.now(UTC)).total_seconds())


def _json(response: httpx.Response) -> dict[str, Any]:
    try:
        told = response.json()
    except ValueError:
        told = None
    return told if isinstance(told, dict) else {}


def read_response(response: httpx.Response | None) -> dict[str, Any]:
    """The body of a good response; raises the error that another stands for."""
    assert response is not None
    told, status = _json(response), response.status_code
    if status == 200 and told:
        return told
    why, remedy = (Text.verbatim(str(told.get(name, ""))) for name in ("detail", "remedy"))
    if status == _NO_RESPONSE:
        raise Lapsed("transport.scoring-service-cannot-be-reached", why=why)
    title = told.get("title")
    what = Text.verbatim(str(title)) if title else Text.of("transport.answered", status=status)
    if status == 429:
        raise TooMany(what, after=max(1, ceil(_after(response))), why=why, remedy=remedy)
    kind = _CLASSES.get(status, Broken)
    if issubclass(kind, Refused):
        raise kind(what, why=why, remedy=remedy, findings=told.get("findings", ()))
    raise kind(what, why=why, remedy=remedy)
