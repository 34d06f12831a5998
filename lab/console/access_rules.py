"""Routes with access rules (路由与权限). A route that declares no roles is refused, so a new page fails closed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from fastapi import APIRouter
from fastapi.responses import Response

from credit.actor import Role
from lab.accounts.account import ROLES

Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])
EVERYONE = ROLES
LAB = (Role.RESEARCHER, Role.REVIEWER, Role.PLATFORM)  # those who work in the lab
REVIEWERS, PLATFORM = (Role.REVIEWER,), (Role.PLATFORM,)
AUDITORS, BANK, CITY = (Role.AUDITOR,), (Role.BANK,), (Role.CITY,)
OVERSEERS = (Role.REVIEWER, Role.PLATFORM)
READERS = (*OVERSEERS, Role.AUDITOR)  # of ledgers, verdicts and cards


@dataclass(frozen=True, slots=True)
class Access:
    """The roles that may open a route. ``open``: it needs no login, and shows nothing of the lab."""

    roles: frozenset[Role]
    open: bool = False


_ACCESS: dict[Any, Access] = {}


def access_of(endpoint: Any) -> Access | None:
    """The access rule of an endpoint; None when it declares none."""
    return _ACCESS.get(endpoint)


def get_page(router: APIRouter, path: str, roles: Sequence[Role]) -> Callable[[Endpoint], Endpoint]:
    """Register a page (GET) for users who have one of ``roles``."""
    return _route(router, path, "GET", Access(frozenset(roles)))


def post_form(router: APIRouter, path: str, roles: Sequence[Role]) -> Callable[[Endpoint], Endpoint]:
    """Register the target of a form (POST) for users who have one of ``roles``."""
    return _route(router, path, "POST", Access(frozenset(roles)))


def public_page(router: APIRouter, path: str) -> Callable[[Endpoint], Endpoint]:
    """Register a page (GET) that a browser may request without a login."""
    return _route(router, path, "GET", Access(frozenset(), open=True))


def _route(router: APIRouter, path: str, method: str, access: Access) -> Callable[[Endpoint], Endpoint]:
    def register(endpoint: Endpoint) -> Endpoint:
        _ACCESS[endpoint] = access
        router.add_api_route(path, endpoint, methods=[method], response_class=Response, response_model=None)
        return endpoint

    return register
