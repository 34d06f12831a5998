"""Data quality (双公示数据质量): a month measured by custody on request, by item and source unit.

The numbers go from custody to the person who requested them; no ledger keeps them, and the page shows them while the
front desk has the result.
"""

from __future__ import annotations

import re

from fastapi import APIRouter
from fastapi.responses import Response

from credit.errors import Malformed
from lab.console.access_rules import CITY, get_page, post_form
from lab.console.city.awaited import make_request, own_request
from lab.console.city.city_ledgers import table_title
from lab.console.request_session import CurrentSession

_MONTH = re.compile(r"20\d\d-(0[1-9]|1[0-2])")
router = APIRouter()


@get_page(router, "/quality", CITY)
def quality_page(session: CurrentSession, request: str = "") -> Response:
    """The form, and the month of ``request``, one of the person's own."""
    state = own_request(session, "quality", request) if request else None
    quality = state["private"].get("quality") if state else None
    month = session.app_state.today().isoformat()[:7]
    return session.page("quality.html.j2", state=state, quality=quality, month=month, title_of=table_title)


@post_form(router, "/quality", CITY)
def measure(session: CurrentSession) -> Response:
    """Request the measurement of a month; raises :class:`Malformed` for one that is none."""
    month = session.field("month")
    if not _MONTH.fullmatch(month):
        raise Malformed("quality.month-missing")
    state = make_request(session, "quality", {"month": month, "sample": 0, "catalogue": "city"})
    return session.redirect(f"quality?request={state['id']}")
