"""A call says what is sent and what its result is; an endpoint is stated once, for both clients.

:class:`Endpoint` makes a method of a function that gives a :class:`Call`: on a blocking client it gives the result,
on an awaited one an awaitable of it, and a type checker knows which.
"""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import update_wrapper
from types import MethodType
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar, overload

import httpx

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Call(Generic[T]):
    """One request: `read` makes the result of the good response to it. It may be sent again without effect."""

    method: str
    path: str
    read: Callable[[httpx.Response], T]
    options: Mapping[str, Any] = field(default_factory=dict)
    is_authorised: bool = True  # whether it takes a token, and so its answer is signed


class BlockingSender:
    """Sends a call and gives its result."""

    def send(self, call: Call[T]) -> T:
        """Send a call, also one of your own to an endpoint that this client does not have."""
        raise NotImplementedError


class AwaitedSender:
    """Sends a call and gives an awaitable of its result."""

    async def send(self, call: Call[T]) -> T:
        """Send a call, also one of your own to an endpoint that this client does not have."""
        raise NotImplementedError


class Endpoint(Generic[P, T]):
    """A method of both clients, made of the function that gives its call."""

    def __init__(self, function: Callable[Concatenate[Any, P], Call[T]]) -> None:
        """Take the function's name, documentation and signature."""

        def method(client: Any, *args: P.args, **kwargs: P.kwargs) -> Any:
            return client.send(function(client, *args, **kwargs))

        self._method = update_wrapper(method, function)
        self.__doc__ = function.__doc__

    @overload
    def __get__(self, client: BlockingSender, owner: type | None = None) -> Callable[P, T]: ...

    @overload
    def __get__(self, client: AwaitedSender, owner: type | None = None) -> Callable[P, Awaitable[T]]: ...

    @overload
    def __get__(self, client: None, owner: type | None = None) -> Endpoint[P, T]: ...

    def __get__(self, client: Any, owner: type | None = None) -> Any:
        """The method of this client."""
        return self if client is None else MethodType(self._method, client)


def json_of(response: httpx.Response) -> Any:
    """The JSON body of a response."""
    return response.json()


def get(path: str, read: Callable[[httpx.Response], T] = json_of, **query: str) -> Call[T]:
    """A GET."""
    return Call("GET", path, read, {"params": query})


def post(path: str, body: Mapping[str, Any], read: Callable[[httpx.Response], T] = json_of) -> Call[T]:
    """A POST of JSON under an idempotency key of its own: the service carries it out once, however often it is sent."""
    return once(path, {"json": body}, read)


def once(path: str, options: Mapping[str, Any], read: Callable[[httpx.Response], T] = json_of) -> Call[T]:
    """A POST of anything under an idempotency key of its own."""
    headers = {**options.get("headers", {}), "Idempotency-Key": secrets.token_hex(16)}
    return Call("POST", path, read, {**options, "headers": headers})
