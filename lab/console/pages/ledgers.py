"""Search in the ledgers (台账检索): who did what, when and why; each entry is verified as it is read for the page."""

from __future__ import annotations

import re
from urllib.parse import urlencode

from fastapi import APIRouter
from fastapi.responses import Response

from credit.errors import CreditError, Malformed, Missing
from credit.ledger import Entry
from lab.console.access_rules import OVERSEERS, READERS, get_page
from lab.console.ledgers.audited_entry import AuditedEntry, is_shown_object, shown_object
from lab.console.ledgers.ledger_index import LedgerIndex, LedgerSearch
from lab.console.request_session import CurrentSession

ENTRIES_PER_PAGE = 50  # entries per page
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
router = APIRouter()


@get_page(router, "/ledger", READERS)
def search(
    session: CurrentSession, zone: str = "research", by: str = "", verb: str = "", object: str = "", day: str = "",
    text: str = "", before: int = 0,
) -> Response:  # fmt: skip
    """The newest entries that match, page by page."""
    index = session.app_state.indexes.get(zone)
    if index is None:
        raise Missing("ledgers.no-such-ledger", indexes=", ".join(session.app_state.indexes))
    if day and not _DAY.fullmatch(day):
        raise Malformed("ledgers.not-day")
    whole = session.has(*OVERSEERS)
    if not whole:  # a search in what is not shown would show whether it is there
        object, text = (object if is_shown_object(object.strip()) else ""), ""
    search_terms = LedgerSearch(*(each.strip()[:100] for each in (by, verb, object, day, text)))
    fault: CreditError | None = session.app_state.faults.get(zone)
    entries: list[Entry] = []
    numbers: list[int] = []
    try:
        index.read_block()
        numbers = index.find(search_terms, before=max(before, 0), limit=ENTRIES_PER_PAGE + 1)
        entries = index.read(numbers[:ENTRIES_PER_PAGE])
    except CreditError as broken:
        fault = broken
    query = {"zone": zone, **search_terms.as_query()}
    more = urlencode({**query, "before": numbers[ENTRIES_PER_PAGE - 1]}) if len(numbers) > ENTRIES_PER_PAGE else ""
    return session.page(
        "ledger.html.j2",
        whole=whole,
        objects={each.seq: each.object if whole else shown_object(each.object) for each in entries},
        zone=zone,
        zones=list(session.app_state.indexes),
        search_terms=search_terms,
        entries=entries,
        count=index.count(search_terms),
        more=more,
        first=urlencode(query) if before else "",
        fault=fault,
        reached=index.reached(),
        recorded=_recorded(index),
    )


@get_page(router, "/ledger/{zone}/{number}", READERS)
def entry_page(session: CurrentSession, zone: str, number: int) -> Response:
    """One entry with all its details, verified again, and the other entries about its object."""
    index = session.app_state.indexes.get(zone)
    entries = index.read([number]) if index and 0 < number < 1 << 60 else []
    if index is None or not entries:
        raise Missing("ledgers.no-such-entry")
    entry = entries[0]
    whole = session.has(*OVERSEERS)
    if not whole and not is_shown_object(entry.object):
        shown = AuditedEntry.of(entry)
        return session.page("entry.html.j2", zone=zone, shown=shown, entry=entry, others=[], last=index.reached())
    about = index.find(LedgerSearch(object=entry.object), limit=ENTRIES_PER_PAGE)
    others = [each for each in index.read(about) if each.object == entry.object]
    shown = AuditedEntry(entry.object, entry.details) if whole else AuditedEntry.of(entry)
    return session.page("entry.html.j2", zone=zone, shown=shown, entry=entry, others=others, last=index.reached())


def _recorded(index: LedgerIndex) -> int:
    """The number of entries according to the signed head; 0 when the head cannot be read, which the page reports."""
    try:
        return index.ledger.head()[0]
    except CreditError:
        return 0
