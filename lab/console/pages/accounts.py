"""Accounts (账户): who may log in, in which roles. A new password is shown once and is nowhere else."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import Response

from credit.actor import Role
from credit.errors import Malformed, Refused
from lab.accounts import ROLES
from lab.console.access_rules import PLATFORM, does, shows
from lab.console.request_session import Visiting

router = APIRouter()


@shows(router, "/accounts", PLATFORM)
def listing(visit: Visiting) -> Response:
    """Everyone, and a form for one more."""
    found = sorted(visit.room.accounts.all().values(), key=lambda each: each.name)
    return visit.show("accounts.html.j2", accounts=found, roles=ROLES, told=None)


@does(router, "/accounts", PLATFORM)
def add(visit: Visiting) -> Response:
    """Add an account, or give one new roles and a new password; answered by the page that shows the password."""
    name, given = visit.one("name"), visit.form.get("roles", [])
    if not set(given) <= set(ROLES):
        raise Malformed("accounts.these-not-roles-account-2")
    accounts, roles = visit.room.accounts, tuple(Role(each) for each in given)
    if name in accounts.all() and visit.one("again") != "yes":
        raise Malformed("accounts.account-already", name=name)
    if name == visit.name and Role.PLATFORM not in roles:
        raise Refused("accounts.nobody-takes-platform-role-from")
    password = accounts.add(name, roles, by=visit.actor(Role.PLATFORM), ledger=visit.room.ledger)
    found = sorted(accounts.all().values(), key=lambda each: each.name)
    return visit.show("accounts.html.j2", accounts=found, roles=ROLES, told=(name, password))


@does(router, "/accounts/{name}/remove", PLATFORM)
def remove(visit: Visiting, name: str) -> Response:
    """Take an account away; its sessions end with the next thing it asks."""
    if name == visit.name:
        raise Refused("accounts.nobody-removes-themselves")
    visit.room.accounts.remove(name, by=visit.actor(Role.PLATFORM), ledger=visit.room.ledger)
    return visit.go("accounts", said="account_removed")
