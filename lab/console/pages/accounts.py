"""Accounts (账户): who may sign in, in which roles. A new password is shown once and not stored in plain text."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import Response

from credit.actor import Role
from credit.errors import Malformed, Refused
from lab.accounts import ROLES
from lab.console.access_rules import PLATFORM, get_page, post_form
from lab.console.request_session import CurrentSession

router = APIRouter()


@get_page(router, "/accounts", PLATFORM)
def listing(session: CurrentSession) -> Response:
    """All accounts, and a form that adds one."""
    listed = sorted(session.app_state.accounts.all().values(), key=lambda each: each.name)
    return session.page("accounts.html.j2", accounts=listed, roles=ROLES, new_account=None)


@post_form(router, "/accounts", PLATFORM)
def add(session: CurrentSession) -> Response:
    """Add an account, or reset the roles and password of one; the answer is the page that shows the password."""
    name, given = session.field("name"), session.form.get("roles", [])
    if not set(given) <= set(ROLES):
        raise Malformed("accounts.these-not-roles-account-2")
    accounts, roles = session.app_state.accounts, tuple(Role(each) for each in given)
    if name in accounts.all() and session.field("again") != "yes":
        raise Malformed("accounts.account-already", name=name)
    if name == session.name and Role.PLATFORM not in roles:
        raise Refused("accounts.own-platform-role")
    password = accounts.add(name, roles, by=session.actor(Role.PLATFORM), ledger=session.app_state.ledger)
    listed = sorted(accounts.all().values(), key=lambda each: each.name)
    return session.page("accounts.html.j2", accounts=listed, roles=ROLES, new_account=(name, password))


@post_form(router, "/accounts/{name}/remove", PLATFORM)
def remove(session: CurrentSession, name: str) -> Response:
    """Remove an account; its sessions are refused from their next request on."""
    if name == session.name:
        raise Refused("accounts.own-account")
    session.app_state.accounts.remove(name, by=session.actor(Role.PLATFORM), ledger=session.app_state.ledger)
    return session.redirect("accounts", confirmation="account_removed")
