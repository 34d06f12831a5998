"""Tokens as authentication for httpx: `httpx.Client(base_url=url, auth=TokenAuth(url, bank, secret))`."""

from __future__ import annotations

import time
from collections.abc import Generator
from urllib.parse import quote_plus

import httpx

from haihe_client.client_key import ClientKey
from haihe_client.errors import AuthenticationError, ServiceFaultError, status_error

TOKEN_PATH = "oauth2/token"
_RENEW_BEFORE = 30  # seconds before its end at which a token is renewed
_COPIED = ("User-Agent", "Accept-Language")  # headers of the request that the request for its token has too


class TokenAuth(httpx.Auth):
    """Gets a token by client credentials (RFC 6749 §4.4), sends it, and renews it before its end or when it is refused.

    With a `key` of the bank's own there is no secret, and each token is bound to the key (DPoP, RFC 9449). It may be
    used by several threads and several tasks at once.
    """

    requires_response_body = True

    def __init__(
        self, url: httpx.URL | str, bank: str, secret: str = "", *, key: ClientKey | None = None,
        audience: str = "",
    ) -> None:  # fmt: skip
        """`url` is the service's address; nothing is sent yet. Assertions are for its token endpoint, or `audience`."""
        base = str(url)
        self._url = httpx.URL(base if base.endswith("/") else f"{base}/").join(TOKEN_PATH)
        self._bank, self._secret, self._key, self._audience = bank, secret, key, audience or str(self._url)
        self._token, self._renew_at = "", 0.0

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Send the request with a token. Raises StatusError when none is granted."""
        token = self._token
        if not token or time.monotonic() >= self._renew_at:
            token = yield from self._new_token(request)
        self._add(request, token)
        response = yield request
        if response.status_code == 401:  # the service may have new keys: request one new token
            self._add(request, (yield from self._new_token(request)))
            yield request

    def _add(self, request: httpx.Request, token: str) -> None:
        request.headers["Authorization"] = f"{'Bearer' if self._key is None else 'DPoP'} {token}"
        if self._key is not None:
            request.headers["DPoP"] = self._key.proof(request.method, request.url, token)

    def _new_token(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, str]:
        headers = {name: request.headers[name] for name in _COPIED if name in request.headers}
        form = {"grant_type": "client_credentials"}
        if self._key is None:
            credentials = httpx.BasicAuth(quote_plus(self._bank), quote_plus(self._secret))  # RFC 6749 §2.3.1
            token_request = httpx.Request("POST", self._url, data=form, headers=headers)
            token_request = next(credentials.auth_flow(token_request))
        else:
            form |= self._key.assertion(self._bank, self._audience)
            headers["DPoP"] = self._key.proof("POST", self._url)
            token_request = httpx.Request("POST", self._url, data=form, headers=headers)
        response = yield token_request
        if response.status_code == 400:  # an error of RFC 6749 §5.2
            raise AuthenticationError(response)
        if response.status_code != 200:
            raise status_error(response)
        try:
            answer = response.json()
            renew_at, token = time.monotonic() + int(answer["expires_in"]) - _RENEW_BEFORE, str(answer["access_token"])
        except (ValueError, KeyError, TypeError) as unreadable:
            raise ServiceFaultError(response) from unreadable
        self._renew_at, self._token = renew_at, token
        return token
