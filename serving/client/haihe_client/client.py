"""The blocking and the awaited client: tokens, retries, and verified signatures over the same endpoints."""

from __future__ import annotations

import asyncio
import random
import time
from types import TracebackType
from typing import TypeVar

import httpx

from haihe_client.calls import AwaitedSender, BlockingSender, Call
from haihe_client.client_key import ClientKey
from haihe_client.endpoints import ServiceEndpoints
from haihe_client.errors import (
    ConnectionFailed,
    HaiheError,
    RateLimitError,
    ServiceFaultError,
    UnavailableError,
    status_error,
)
from haihe_client.signatures import HEADER, ServiceKeys
from haihe_client.texts import Language, text
from haihe_client.token_auth import TokenAuth

T = TypeVar("T")
_RETRIED = (ConnectionFailed, RateLimitError, UnavailableError)


class ServiceClient(ServiceEndpoints, BlockingSender):
    """A client of the scoring service for one bank; use it as a context manager. Several threads may share one.

    With a `key` of the bank's own it needs no secret, and every token is bound to the key (DPoP, RFC 9449). With the
    service's `keys` every answer's signature is verified. Overload and lost connections are retried for at most
    `patience` seconds. A request that creates or answers something has one idempotency key: it is carried out once
    and has one ledger entry, however often it is sent.
    """

    def __init__(
        self, url: str, bank: str, secret: str = "", *, key: ClientKey | None = None, keys: ServiceKeys | None = None,
        patience: float = 5.0, timeout: float = 10.0, language: Language = "en", http: httpx.Client | None = None,
    ) -> None:  # fmt: skip
        """`http` lets a caller pass a client of its own (a proxy, mutual TLS), with its own base address."""
        self._http = http or httpx.Client(base_url=url, timeout=timeout)
        self._auth = TokenAuth(self._http.base_url, bank, secret, key=key)
        self.keys, self._patience, self._language = keys, patience, language

    def __enter__(self) -> ServiceClient:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def learn_keys(self) -> ServiceKeys:
        """Fetch the service's public keys from the service, and verify every later answer with them."""
        self.keys = self.service_keys()
        return self.keys

    def send(self, call: Call[T]) -> T:
        """Send a call, also one of your own to an endpoint that this client does not have."""
        retry = _Retry(self._patience)
        while True:
            try:
                request = self._http.build_request(call.method, call.path, **call.options)
                request.headers.setdefault("Accept-Language", self._language)
                response = self._http.send(request, auth=self._auth if call.is_authorised else None)
                return _result(call, response, self.keys)
            except httpx.TransportError as error:
                time.sleep(retry.wait_after(_connection_failed(error, self._language)))
            except _RETRIED as error:
                time.sleep(retry.wait_after(error))


class AsyncServiceClient(ServiceEndpoints, AwaitedSender):
    """As :class:`ServiceClient`, awaited; several tasks may share one."""

    def __init__(
        self, url: str, bank: str, secret: str = "", *, key: ClientKey | None = None, keys: ServiceKeys | None = None,
        patience: float = 5.0, timeout: float = 10.0, language: Language = "en",
        http: httpx.AsyncClient | None = None,
    ) -> None:  # fmt: skip
        """As :class:`ServiceClient`."""
        self._http = http or httpx.AsyncClient(base_url=url, timeout=timeout)
        self._auth = TokenAuth(self._http.base_url, bank, secret, key=key)
        self.keys, self._patience, self._language = keys, patience, language

    async def __aenter__(self) -> AsyncServiceClient:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def learn_keys(self) -> ServiceKeys:
        """As :meth:`ServiceClient.learn_keys`."""
        self.keys = await self.service_keys()
        return self.keys

    async def send(self, call: Call[T]) -> T:
        """As :meth:`ServiceClient.send`."""
        retry = _Retry(self._patience)
        while True:
            try:
                request = self._http.build_request(call.method, call.path, **call.options)
                request.headers.setdefault("Accept-Language", self._language)
                response = await self._http.send(request, auth=self._auth if call.is_authorised else None)
                return _result(call, response, self.keys)
            except httpx.TransportError as error:
                await asyncio.sleep(retry.wait_after(_connection_failed(error, self._language)))
            except _RETRIED as error:
                await asyncio.sleep(retry.wait_after(error))


class _Retry:
    """How long to wait before a request is sent again: twice as long each time, until the patience is over."""

    def __init__(self, patience: float) -> None:
        self._deadline, self._wait = time.monotonic() + patience, 0.1

    def wait_after(self, error: HaiheError) -> float:
        """The seconds to wait; raises `error` when they would end after the patience."""
        requested = error.retry_after if isinstance(error, (RateLimitError, UnavailableError)) else 0.0
        wait = max(self._wait * random.uniform(0.5, 1.5), requested)
        if time.monotonic() + wait > self._deadline:
            raise error
        self._wait *= 2
        return wait


def _result(call: Call[T], response: httpx.Response, keys: ServiceKeys | None) -> T:
    """The result of a response. Raises StatusError for a refusal, VerificationError for a bad signature."""
    if response.status_code != 200:
        raise status_error(response)
    if call.is_authorised and keys is not None:
        keys.verify(response.content, response.headers.get(HEADER, ""))
    try:
        return call.read(response)
    except (ValueError, KeyError, TypeError) as unreadable:  # an answer that is none of the service's
        raise ServiceFaultError(response) from unreadable


def _connection_failed(error: httpx.TransportError, language: Language) -> ConnectionFailed:
    failed = ConnectionFailed(text("unreachable", language, why=type(error).__name__))
    failed.__cause__ = error
    return failed
