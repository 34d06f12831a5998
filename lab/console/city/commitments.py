"""Credit commitments (信用承诺) by the agency that accepted them: due, checked, kept, broken, repaired.

Custody counts them on request; the numbers go to the person who requested them, and name no subject.
"""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import Response

from lab.console.access_rules import CITY, get_page, post_form
from lab.console.city.awaited import make_request, own_request
from lab.console.request_session import CurrentSession

router = APIRouter()


@get_page(router, "/commitments", CITY)
def commitments_page(session: CurrentSession, request: str = "") -> Response:
    """The button, and the numbers of ``request``, one of the person's own."""
    state = own_request(session, "commitments", request) if request else None
    agencies = state["private"].get("agencies") if state else None
    return session.page("commitments.html.j2", state=state, agencies=agencies)


@post_form(router, "/commitments", CITY)
def count(session: CurrentSession) -> Response:
    """Request the count."""
    state = make_request(session, "commitments", {"due": 0, "catalogue": "city"})
    return session.redirect(f"commitments?request={state['id']}")
