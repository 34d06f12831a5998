"""How a bank's client sends: with a token that it renews, with retries, and with verified signatures.

Nothing is sent here. Generators yield the request to send and the time to wait, so the synchronous and the
asynchronous client share this code.
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
_RETRY_STATUSES = {408, 429, 502, 503, 504}
_NO_RESPONSE = 599  # the status of our own stand-in for a missing response
_RENEW_BEFORE = 30  # seconds before its expiry at which a token is renewed


@dataclass(frozen=True, slots=True)
class OutgoingRequest:
    """A request to send."""

    method: str
    path: str
    options: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Pause:
    """A time to wait, in seconds."""

    seconds: float


Operation = Generator[OutgoingRequest | Pause, httpx.Response | None, Any]


def unreachable(error: httpx.HTTPError) -> httpx.Response:
    """The stand-in for a response when none arrived."""
    return httpx.Response(_NO_RESPONSE, json={"detail": type(error).__name__})


class Transport:
    """One bank's token, and the requests sent with it."""

    def __init__(
        self, bank: str, secret: str, ring: KeyRing | None, patience: float, *, url: str = "",
        key: ClientKey | None = None,
    ) -> None:  # fmt: skip
        """Nothing is sent yet. With a `key` the bank needs no secret, and its tokens are bound to the key
        (DPoP, RFC 9449).
        """
        self._bank, self._key, self._url = bank, key, url.rstrip("/")
        self._credentials = (quote_plus(bank), quote_plus(secret))  # RFC 6749 §2.3.1
        self.ring, self._patience = ring, patience
        self._token, self._good_until = "", 0.0

    def signed(self, method: str, path: str, options: dict[str, Any]) -> Operation:
        """Send, and give the response's body; where the service's keys are known, its signature must verify."""
        response = yield from self._authorised(method, path, options)
        body = read_response(response)
        self._check(response)
        return body

    def signed_file(self, path: str, options: dict[str, Any]) -> Operation:
        """Send a GET for a file: its bytes, and the signature over them."""
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
        """Send with a token, renew the token once when it is refused, and retry until `patience` seconds are over.

        A repetition does no harm: the request is a GET, or has an idempotency key, or changes nothing the second
        time.
        """
        deadline, wait_base, is_renewed = time.monotonic() + self._patience, 0.1, False
        while True:
            response = yield from self._renew()
            if response is None:
                headers = {**options.get("headers", {}), **self._authority(method, path)}
                response = yield OutgoingRequest(method, path, {**options, "headers": headers})
                assert response is not None
            if response.status_code == 401 and not is_renewed:  # the service may have new keys: request one new token
                self._token, is_renewed = "", True
                continue
            wait = max(wait_base * random.uniform(0.5, 1.5), _retry_after(response))
            if response.status_code not in {_NO_RESPONSE, *_RETRY_STATUSES} or time.monotonic() + wait > deadline:
                return response
            yield Pause(wait)
            wait_base *= 2

    def _renew(self) -> Operation:
        """Make sure that a token is valid for a while; gives None, or the response when the service is too busy or
        unreachable.

        Raises Unauthenticated when no token is granted.
        """
        if self._token and time.monotonic() < self._good_until:
            return None
        form = {"grant_type": "client_credentials"}
        options: dict[str, Any] = {"data": form, "auth": self._credentials}
        if self._key is not None:
            proof = self._key.proof("POST", f"{self._url}/oauth2/token")
            options = {"data": {**form, **self._key.form(self._bank)}, "headers": {"DPoP": proof}}
        response = yield OutgoingRequest("POST", "/oauth2/token", options)
        assert response is not None
        if response.status_code in {_NO_RESPONSE, *_RETRY_STATUSES}:
            return response
        body = _json(response)
        if response.status_code != 200:
            why = str(body.get("error", ""))
            raise Unauthenticated("transport.no-token-given", why=Text.verbatim(why))
        self._token = str(body["access_token"])
        self._good_until = time.monotonic() + int(body["expires_in"]) - _RENEW_BEFORE
        return None


def _retry_after(response: httpx.Response) -> float:
    """The seconds in the header Retry-After, given as a number or as a date (RFC 9110 §10.2.3); 0 when
    there is none.
    """
    value = response.headers.get("Retry-After", "")
    if value.isascii() and value.isdigit():
        return float(value)
    try:
        time_given = parsedate_to_datetime(value)
    except ValueError:
        return 0.0
    return max(0.0, (time_given.replace(tzinfo=time_given.tzinfo or UTC) - datetime.now(UTC)).total_seconds())


def _json(response: httpx.Response) -> dict[str, Any]:
    try:
        body = response.json()
    except ValueError:
        body = None
    return body if isinstance(body, dict) else {}


def read_response(response: httpx.Response | None) -> dict[str, Any]:
    """The body of a good response. Raises the error that a problem document stands for."""
    assert response is not None
    body, status = _json(response), response.status_code
    if status == 200 and body:
        return body
    why, remedy = (Text.verbatim(str(body.get(name, ""))) for name in ("detail", "remedy"))
    if status == _NO_RESPONSE:
        raise Lapsed("transport.scoring-service-cannot-be-reached", why=why)
    title = body.get("title")
    headline = Text.verbatim(str(title)) if title else Text.of("transport.answered", status=status)
    if status == 429:
        raise TooMany(headline, after=max(1, ceil(_retry_after(response))), why=why, remedy=remedy)
    error_class = _CLASSES.get(status, Broken)
    if issubclass(error_class, Refused):
        raise error_class(headline, why=why, remedy=remedy, findings=body.get("findings", ()))
    raise error_class(headline, why=why, remedy=remedy)
