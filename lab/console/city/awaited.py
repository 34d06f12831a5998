"""A request of the city from a page: made as the signed-in person, and how far it is by the time the page answers."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from typing import Any

from credit.errors import Missing
from credit.requests.request import Stage
from lab.console.request_session import RequestSession

SECONDS = 6.0  # that a page waits for a zone; what takes longer is shown when the person looks again
_ID = re.compile(r"request-[0-9a-f]{32}")


def make_request(session: RequestSession, verb: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Make it and wait for :data:`SECONDS`; its state then. Raises the error with which it failed by then."""
    day, until = session.app_state.settings.today, time.monotonic() + SECONDS
    state = session.desk.request(verb, arguments, today=day.isoformat() if day else "")
    while state["stage"] == Stage.OPEN and time.monotonic() < until:
        state = session.desk.state(state["id"], since=state["mark"])
    if state["stage"] in (Stage.FAILED, Stage.CANCELLED):
        session.desk.wait(state, lambda *_: None)  # raises why
    return state


def own_request(session: RequestSession, verb: str, request_id: str) -> dict[str, Any]:
    """The state of a request of this verb. Raises :class:`Missing` for another, and the error with which it failed."""
    if not _ID.fullmatch(request_id):
        raise Missing("register.no-request", id=request_id[:20])
    state = session.desk.state(request_id)
    if state["verb"] != verb:
        raise Missing("register.no-request", id=request_id[:20])
    if state["stage"] in (Stage.FAILED, Stage.CANCELLED):
        session.desk.wait(state, lambda *_: None)
    return state
