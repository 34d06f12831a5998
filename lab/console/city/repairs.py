"""Repairs (信用修复): request them by document number and firm, and see how far each is and what was made again.

The document number and the firm go to custody as arguments that no ledger holds; no page shows them again.
"""

from __future__ import annotations

from datetime import date

from fastapi import APIRouter
from fastapi.responses import Response

from credit.errors import Malformed
from credit.messages import Text
from credit.requests.failure import error_of
from credit.requests.past_requests import past_requests, repair_of
from lab.console.access_rules import CITY, get_page, post_form
from lab.console.city.awaited import make_request
from lab.console.city.city_ledgers import city_catalogue, city_ledgers
from lab.console.request_session import CurrentSession

MOST = 200  # document numbers of one request
VERBS = ("repair", "withdraw")
router = APIRouter()


@get_page(router, "/repairs", CITY)
def listing(session: CurrentSession) -> Response:
    """The form, and the newest repairs and withdrawals."""
    listed = [repair_of(state) for state in past_requests(city_ledgers(session.app_state), VERBS)]
    whys = {
        each["request"]: [
            error_of(failure).in_language(session.words.language)
            for failure in (*([each["failure"]] if each["failure"] else []), *each["failed"])
        ]
        for each in listed
    }
    tables = {table.name: table.title for table in city_catalogue().tables.values() if table.repair_document}
    return session.page("repairs.html.j2", repairs=listed, whys=whys, tables=tables, today=session.app_state.today())


@post_form(router, "/repairs", CITY)
def repair(session: CurrentSession) -> Response:
    """Request a repair. Raises :class:`Malformed` for a form without a document number, and what custody refuses."""
    documents = [line.strip() for line in session.field("documents").splitlines() if line.strip()]
    if not 1 <= len(documents) <= MOST:
        raise Malformed("city-pages.documents", most=MOST)
    arguments = {"documents": documents, "on": _day(session.field("on")), "catalogue": "city"}
    arguments |= {name: value for name in ("subject", "table") if (value := session.field(name))}
    make_request(session, "repair", arguments)
    return session.redirect("repairs", confirmation="repair_requested")


@post_form(router, "/repairs/withdraw", CITY)
def withdraw(session: CurrentSession) -> Response:
    """Take what was repaired by an intake out of everything that is answered."""
    make_request(session, "withdraw", {"catalogue": "city"})
    return session.redirect("repairs", confirmation="repair_requested")


def _day(given: str) -> str:
    try:
        return date.fromisoformat(given).isoformat() if given else ""
    except ValueError as error:
        raise Malformed("options.not-day", why=Text.verbatim(given[:20])) from error
