"""Requests (请求) that wait for a second person: their details, and the forms that confirm or cancel them."""

from __future__ import annotations

import re
from typing import Any

from fastapi import APIRouter
from fastapi.responses import Response

from credit.actor import Actor
from credit.errors import Missing
from credit.gate import Finding
from credit.requests.failure import error_of
from lab.console.access_rules import PLATFORM, get_page, post_form
from lab.console.awaiting import unconfirmed
from lab.console.request_session import CurrentSession

DONE = {"confirm": "request_confirmed", "cancel": "request_cancelled"}  # act -> what the page then says
_ID = re.compile(r"request-[0-9a-f]{32}")
router = APIRouter()


@get_page(router, "/requests", PLATFORM)
def listing(session: CurrentSession) -> Response:
    """What waits, with everything that a second person confirms."""
    return session.page("requests.html.j2", requests=unconfirmed(session))


@get_page(router, "/requests/{id}", PLATFORM)
def request_page(session: CurrentSession, id: str) -> Response:
    """How far one request is, what it made, or why it failed; the page follows it."""
    if not _ID.fullmatch(id):
        raise Missing("register.no-request", id=id[:20])
    state = session.desk.state(id)
    failure = error_of(state["failure"]) if state["failure"] else None
    findings = [
        *(Finding.read(each) for each in _verdict(state).get("findings", ())),
        *getattr(failure, "findings", ()),
    ]
    return session.page("request.html.j2", state=state, by=Actor.parse(state["by"]), failure=failure, findings=findings)


def _verdict(state: dict[str, Any]) -> dict[str, Any]:
    """The verdict of a gate among the results of a request; empty without one."""
    last = state["results"][-1] if state["results"] else {}
    verdict = last.get("verdict")
    return verdict if isinstance(verdict, dict) else {}


@post_form(router, "/requests/{id}/{act}", PLATFORM)
def decide(session: CurrentSession, id: str, act: str) -> Response:
    """Confirm what another person requested, or cancel a request."""
    if act not in DONE or not _ID.fullmatch(id):
        raise Missing("register.no-request", id=id[:20])
    session.desk.call("POST", f"/requests/{id}/{act}")
    return session.redirect("requests", confirmation=DONE[act])
