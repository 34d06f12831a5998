"""Verdicts (关口判定): what the gates of release, rows, tables, airlock and promotion found, check by check.

The reason of a finding about a parcel refers to its files, so this page shows the checks and their outcomes alone.
"""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import APIRouter
from fastapi.responses import Response

from credit.gate import Verdict
from credit.ledger import Entry
from lab.airlock.review.petition import verdict_of
from lab.console.access_rules import READERS, get_page
from lab.console.app_state import AppState
from lab.console.ledgers.ledger_index import LedgerSearch
from lab.console.request_session import CurrentSession

VERDICT_VERBS = {
    "custody": ("release.",),
    "compute": ("rows.made", "table.made"),
    "research": ("parcel.submitted", "parcel.received"),
    "platform": ("promotion.",),
}
MOST = 50  # the newest entries of each verb that are read
router = APIRouter()


@dataclass(frozen=True, slots=True)
class LedgerVerdict:
    """A verdict and the entry that holds it."""

    zone: str
    entry: Entry
    verdict: Verdict


@get_page(router, "/verdicts", READERS)
def listing(session: CurrentSession) -> Response:
    """The newest verdicts of every gate whose ledger is readable here."""
    return session.page("verdicts.html.j2", verdicts=newest_verdicts(session.app_state))


def newest_verdicts(app_state: AppState) -> list[LedgerVerdict]:
    """The newest verdicts, verified again as they are read; raises :class:`Broken` for an entry that was changed."""
    verdicts = []
    for zone, verbs in VERDICT_VERBS.items():
        index = app_state.indexes.get(zone)
        for verb in verbs if index is not None else ():
            assert index is not None
            for entry in index.read(index.find(LedgerSearch(verb=verb), limit=MOST)):
                if isinstance(data := entry.details.get("verdict"), dict):
                    verdicts.append(LedgerVerdict(zone, entry, verdict_of(data)))
    return sorted(verdicts, key=lambda each: each.entry.at, reverse=True)
