"""Answers of the scoring service (应答): stop all of them at once, and start them again.

The page reports from the platform's ledger what was last decided, by whom and why. Whether every process follows it is
shown by the service itself (``/ready``).
"""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import Response

from credit.errors import Missing
from credit.ledger import Entry
from credit.requests.request import Stage
from lab.console.access_rules import PLATFORM, get_page, post_form
from lab.console.app_state import AppState
from lab.console.request_session import CurrentSession

SWITCH = "answers"  # the object of the entries in the platform's ledger
STOPPED = "answers.stopped"
LONGEST_REASON = 200  # characters, as the service allows
router = APIRouter()


@get_page(router, "/answers", PLATFORM)
def answers_page(session: CurrentSession) -> Response:
    """The page with the last decision, and the form that stops or starts."""
    last = last_decision(session.app_state)
    stopped = last is not None and last.verb == STOPPED
    return session.page("answers.html.j2", last=last, stopped=stopped, longest=LONGEST_REASON)


@post_form(router, "/answers/{act}", PLATFORM)
def switch_answers(session: CurrentSession, act: str) -> Response:
    """Make the request as the signed-in person; the front desk asks for a sign-in of the last five minutes."""
    if act not in ("stop", "start"):
        raise Missing("error-pages.no-such-page")
    state = session.desk.request(f"{act}-answers", {"why": session.field("why")})
    if state["stage"] == Stage.OPEN:  # the agent needs less than the seconds that one look waits
        state = session.desk.state(state["id"], since=state["mark"])
    if state["stage"] in (Stage.FAILED, Stage.CANCELLED):
        session.desk.wait(state, lambda *_: None)  # raises why
    texts = {Stage.DONE: f"answers_{act}", Stage.UNCONFIRMED: "answers_unconfirmed"}
    return session.redirect(SWITCH, confirmation=texts.get(Stage(state["stage"]), "answers_waiting"))


def last_decision(app_state: AppState) -> Entry | None:
    """The newest entry that stopped or started the answers; None before there is one, or without that ledger."""
    index = app_state.indexes.get("platform")
    if index is None:
        return None
    index.catch_up()
    entries = list(index.entries(f"{SWITCH}.", object=SWITCH))
    return entries[-1] if entries else None
