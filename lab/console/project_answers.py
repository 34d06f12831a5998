"""The rows and tables of a project (课题的特征行与汇总表): what was requested, and what the gate found."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from credit.actor import Actor
from credit.errors import CreditError
from credit.gate import Verdict
from credit.ledger import Entry
from credit.order_requests import ROWS, TABLE
from lab.airlock.review.petition import verdict_of
from lab.console.app_state import AppState
from lab.console.ledgers.ledger_view import LedgerView

SHOWN = 30  # the newest answers on a page
_KINDS = {ROWS.made: "rows", TABLE.made: "table"}


@dataclass(frozen=True, slots=True)
class ProjectAnswer:
    """Rows or a table that compute made for a project.

    ``kind`` is rows or table, ``days`` the days that were requested, ``count`` the rows or the cells that are shown.
    ``expires_on`` is None once the seal is gone.
    """

    kind: str
    seal: str
    entry: Entry
    request: dict[str, Any]
    days: tuple[str, ...]
    count: int
    verdict: Verdict
    expires_on: date | None

    @property
    def by(self) -> Actor:
        """The researcher who requested it."""
        return self.entry.by


def answers_of(app_state: AppState, project: str) -> tuple[list[ProjectAnswer], int]:
    """The newest rows and tables of a project, and the number of all; none where compute's ledger cannot be read."""
    index = app_state.indexes.get("compute")
    if index is None:
        return [], 0
    entries = [entry for entry in LedgerView.of(index, *_KINDS).entries() if entry.details.get("project") == project]
    return [_answer(app_state, entry) for entry in entries[::-1][:SHOWN]], len(entries)


def _answer(app_state: AppState, entry: Entry) -> ProjectAnswer:
    request = dict(entry.details.get("request", {}))
    days = request.get("as_of", ())
    try:
        expires_on = app_state.shelf.open(entry.object, deep=False).seal.expires_on
    except CreditError:  # swept since
        expires_on = None
    return ProjectAnswer(
        _KINDS[entry.verb],
        entry.object,
        entry,
        request,
        (days,) if isinstance(days, str) else tuple(days),
        int(entry.details.get("rows", 0)),
        verdict_of(entry.details["verdict"]),
        expires_on,
    )
