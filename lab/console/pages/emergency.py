"""What is done in an emergency (应急): stop all answers of the scoring service, or close all exits of the lab.

The page reports from the ledgers what was last decided of each, by whom and why, and offers the opposite. Whether every
process of the service follows is shown by the service itself (``/ready``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from fastapi import APIRouter
from fastapi.responses import Response

from credit.errors import Missing
from credit.ledger import Entry
from credit.requests.request import Stage
from lab.airlock.exits import CLOSED, EXITS, LONGEST_REASON
from lab.console.access_rules import PLATFORM, get_page, post_form
from lab.console.app_state import RESEARCH, AppState
from lab.console.request_session import CurrentSession

router = APIRouter()


@dataclass(frozen=True, slots=True)
class Switch:
    """Something that is stopped and started. ``object`` is that of its entries in the ledger of ``zone``.

    ``off`` is the verb of the entry that stops it; ``stop`` and ``start`` are the verbs of the requests.
    """

    object: str
    zone: str
    off: str
    stop: str
    start: str

    def last(self, app_state: AppState) -> Entry | None:
        """The newest decision; None before there is one, or where that ledger is not on this machine."""
        index = app_state.indexes.get(self.zone)
        if index is None:
            return None
        index.catch_up()
        entries = list(index.entries(f"{self.object}.", object=self.object))
        return entries[-1] if entries else None


SWITCHES: Mapping[str, Switch] = {
    each.object: each
    for each in (
        Switch("answers", "platform", "answers.stopped", "stop-answers", "start-answers"),
        Switch(EXITS, RESEARCH, CLOSED, "close-exits", "open-exits"),
    )
}


@get_page(router, "/emergency", PLATFORM)
def emergency_page(session: CurrentSession) -> Response:
    """Each switch with the last decision, and the form for the opposite."""
    decisions = [(switch, switch.last(session.app_state)) for switch in SWITCHES.values()]
    return session.page("emergency.html.j2", decisions=decisions, longest=LONGEST_REASON)


@post_form(router, "/emergency/{act}", PLATFORM)
def change(session: CurrentSession, act: str) -> Response:
    """Make the request as the signed-in person; the front desk wants a sign-in of the last five minutes."""
    if act not in {verb for each in SWITCHES.values() for verb in (each.stop, each.start)}:
        raise Missing("error-pages.no-such-page")
    state = session.desk.request(act, {"why": session.field("why")})
    if state["stage"] == Stage.OPEN:  # the agent needs less than the seconds that one look waits
        state = session.desk.state(state["id"], since=state["mark"])
    if state["stage"] in (Stage.FAILED, Stage.CANCELLED):
        session.desk.wait(state, lambda *_: None)  # raises why
    texts = {Stage.DONE: act.replace("-", "_"), Stage.UNCONFIRMED: "emergency_unconfirmed"}
    return session.redirect("emergency", confirmation=texts.get(Stage(state["stage"]), "emergency_waiting"))
