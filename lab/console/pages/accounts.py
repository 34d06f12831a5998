"""Accounts (账户): who may sign in, in which roles, and the changes that wait for a second person.

The front desk writes the changes: it alone has the key, and it asks the hub itself who the person is and when they
signed in. What is issued, a link or a code, is shown once, to the person who requested or confirmed.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter
from fastapi.responses import Response

from credit.errors import Missing
from lab.accounts.account import ROLES, IssuedLink
from lab.console.access_rules import PLATFORM, get_page, post_form
from lab.console.request_session import CurrentSession

DECISIONS = ("confirm", "refuse", "withdraw")
router = APIRouter()


@get_page(router, "/accounts", PLATFORM)
def listing(session: CurrentSession) -> Response:
    """All accounts, what waits for a second person, and a form that adds an account."""
    return _page(session)


@post_form(router, "/accounts", PLATFORM)
def add(session: CurrentSession) -> Response:
    """Request a new account."""
    roles, bank = session.form.get("roles", []), session.field("bank")
    return _page(session, _changed(session, "add", account=session.field("name"), roles=roles, bank=bank))


@post_form(router, "/accounts/{name}/roles", PLATFORM)
def change_roles(session: CurrentSession, name: str) -> Response:
    """Request other roles for an account."""
    roles, bank = session.form.get("roles", []), session.field("bank")
    return _page(session, _changed(session, "roles", account=name, roles=roles, bank=bank))


@post_form(router, "/accounts/{name}/reset", PLATFORM)
def reset(session: CurrentSession, name: str) -> Response:
    """Request that the person sets up the account again."""
    return _page(session, _changed(session, "reset", account=name))


@post_form(router, "/accounts/{name}/remove", PLATFORM)
def remove(session: CurrentSession, name: str) -> Response:
    """Remove an account, or request it where it takes a second person; its sessions then end with the next request."""
    issued = _changed(session, "remove", account=name)
    if issued is not None and issued.waits:
        return _page(session, issued)
    return session.redirect("accounts", confirmation="account_removed")


@post_form(router, "/accounts/{name}/changes/{act}", PLATFORM)
def decide(session: CurrentSession, name: str, act: str) -> Response:
    """Confirm or refuse what another person requested, or withdraw what one requested oneself."""
    if act not in DECISIONS:
        raise Missing("accounts.no-such-change")
    issued = _changed(session, act, change=session.field("change"))
    return _page(session, issued) if act == "confirm" else session.redirect("accounts")


def _changed(session: CurrentSession, act: str, **details: Any) -> IssuedLink | None:
    """What the front desk issued for a change, or None; raises the error with which it refused."""
    issued = session.desk.call("POST", f"/accounts/{act}", details)
    return IssuedLink(**issued) if issued else None


def _page(session: CurrentSession, issued: IssuedLink | None = None) -> Response:
    accounts = session.app_state.accounts.all().values()
    link = ""
    if issued is not None and issued.token:
        link = f"{session.app_state.hub.settings.enrolment}?{urlencode({'key': issued.token})}"
    return session.page(
        "accounts.html.j2",
        accounts=sorted(accounts, key=lambda each: each.name),
        changes=session.app_state.accounts.changes(),
        roles=ROLES,
        issued=issued,
        link=link,
    )
