"""Quarantine (隔离区): how many rows wait, by table, field and reason. Their values and lines stay in custody."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import Response

from credit.requests.past_requests import past_requests, waiting_of
from credit.requests.request import Stage
from lab.console.access_rules import CITY, get_page, post_form
from lab.console.city.awaited import make_request
from lab.console.city.city_ledgers import city_ledgers, field_title, table_title
from lab.console.request_session import CurrentSession

router = APIRouter()


@get_page(router, "/quarantine", CITY)
def quarantine_page(session: CurrentSession) -> Response:
    """What waited when rows were brought in or counted last."""
    waiting = waiting_of(past_requests(city_ledgers(session.app_state), ("intake", "quarantine")))
    return session.page("quarantine.html.j2", waiting=waiting, title_of=table_title, field_of=field_title)


@post_form(router, "/quarantine", CITY)
def count(session: CurrentSession) -> Response:
    """Count again, by a request to custody."""
    state = make_request(session, "quarantine", {"catalogue": "city"})
    done = state["stage"] == Stage.DONE
    return session.redirect("quarantine", confirmation="quarantine_counted" if done else "city_waiting")
