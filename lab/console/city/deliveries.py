"""Deliveries (归集批次) and mappings (字段映射): what was brought in, by whom, with which counts and reasons."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import Response

from credit.errors import Missing
from credit.requests.past_requests import delivery_of, mappings_of, past_requests
from lab.console.access_rules import CITY, get_page
from lab.console.city.city_ledgers import city_ledgers, field_title, table_title
from lab.console.request_session import CurrentSession

router = APIRouter()


@get_page(router, "/deliveries", CITY)
def listing(session: CurrentSession) -> Response:
    """The newest deliveries with their counts."""
    listed = [delivery_of(state) for state in past_requests(city_ledgers(session.app_state), ("intake",))]
    return session.page("deliveries.html.j2", deliveries=listed)


@get_page(router, "/deliveries/{id}", CITY)
def delivery(session: CurrentSession, id: str) -> Response:
    """One delivery: counts by table, reasons, lines that are no rows. Raises :class:`Missing`."""
    for state in past_requests(city_ledgers(session.app_state), ("intake",)):
        if state.request.id == id:
            return session.page("delivery.html.j2", delivery=delivery_of(state), title_of=table_title)
    raise Missing("register.no-request", id=id[:20])


@get_page(router, "/mappings", CITY)
def mappings(session: CurrentSession) -> Response:
    """The mappings in force, as custody's ledger has them."""
    ledgers = city_ledgers(session.app_state)
    listed = mappings_of(ledgers["custody"]) if "custody" in ledgers else []
    return session.page("mappings.html.j2", mappings=listed, title_of=table_title, field_of=field_title)
