"""Routes that say who may come (路由与权限). One that does not say so lets nobody in: a new page fails closed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from fastapi import APIRouter
from fastapi.responses import Response

from credit.actor import Role

Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])
EVERYONE = (Role.RESEARCHER, Role.REVIEWER, Role.PLATFORM)
REVIEWERS, PLATFORM = (Role.REVIEWER,), (Role.PLATFORM,)
OVERSEERS = (Role.REVIEWER, Role.PLATFORM)


@dataclass(frozen=True, slots=True)
class Access:
    """Which roles open a route. ``open``: it takes no login at all, and shows nothing of the lab."""

    roles: frozenset[Role]
    open: bool = False


_SAID: dict[Any, Access] = {}


def access_of(endpoint: Any) -> Access | None:
    """Who may come to an endpoint; None when it does not say."""
    return _SAID.get(endpoint)


def shows(router: APIRouter, path: str, roles: Sequence[Role]) -> Callable[[Endpoint], Endpoint]:
    """A page for whoever has one of ``roles``."""
    return _route(router, path, "GET", Access(frozenset(roles)))


def does(router: APIRouter, path: str, roles: Sequence[Role]) -> Callable[[Endpoint], Endpoint]:
    """A form's target for whoever has one of ``roles``."""
    return _route(router, path, "POST", Access(frozenset(roles)))


def open_to_all(router: APIRouter, path: str) -> Callable[[Endpoint], Endpoint]:
    """What a browser may ask for without being logged in."""
    return _route(router, path, "GET", Access(frozenset(), open=True))


def _route(router: APIRouter, path: str, method: str, access: Access) -> Callable[[Endpoint], Endpoint]:
    def put(endpoint: Endpoint) -> Endpoint:
        _SAID[endpoint] = access
        router.add_api_route(path, endpoint, methods=[method], response_class=Response, response_model=None)
        return endpoint

    return put
