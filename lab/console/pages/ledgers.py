"""The ledgers with search (台账检索): who did what, when and why; each entry shown is verified as it is read."""

from __future__ import annotations

import re
from urllib.parse import urlencode

from fastapi import APIRouter
from fastapi.responses import Response

from credit.errors import CreditError, Malformed, Missing
from credit.ledger import Entry
from lab.console.access_rules import OVERSEERS, shows
from lab.console.ledgers.ledger_index import Index, Search
from lab.console.request_session import Visiting

PAGE = 50  # entries
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
router = APIRouter()


@shows(router, "/ledger", OVERSEERS)
def search(
    visit: Visiting, zone: str = "research", by: str = "", verb: str = "", object: str = "", day: str = "",
    text: str = "", before: int = 0,
) -> Response:  # fmt: skip
    """The newest entries that fit, a page at a time."""
    index = visit.room.indexes.get(zone)
    if index is None:
        raise Missing("ledgers.no-such-ledger", indexes=", ".join(visit.room.indexes))
    if day and not _DAY.fullmatch(day):
        raise Malformed("ledgers.not-day")
    asked = Search(*(each.strip()[:100] for each in (by, verb, object, day, text)))
    fault: CreditError | None = visit.room.faults.get(zone)
    entries: list[Entry] = []
    found: list[int] = []
    try:
        index.glance()
        found = index.find(asked, before=max(before, 0), limit=PAGE + 1)
        entries = index.read(found[:PAGE])
    except CreditError as broken:
        fault = broken
    query = {"zone": zone, **asked.asked()}
    more = urlencode({**query, "before": found[PAGE - 1]}) if len(found) > PAGE else ""
    return visit.show(
        "ledger.html.j2",
        zone=zone,
        zones=list(visit.room.indexes),
        asked=asked,
        entries=entries,
        count=index.count(asked),
        more=more,
        first=urlencode(query) if before else "",
        fault=fault,
        reached=index.reached(),
        told=_told(index),
    )


@shows(router, "/ledger/{zone}/{number}", OVERSEERS)
def one(visit: Visiting, zone: str, number: int) -> Response:
    """One entry with all it holds, verified anew."""
    index = visit.room.indexes.get(zone)
    found = index.read([number]) if index and 0 < number < 1 << 60 else []
    if index is None or not found:
        raise Missing("ledgers.no-such-entry")
    entry = found[0]
    about = index.find(Search(object=entry.object), limit=PAGE)
    others = [each for each in index.read(about) if each.object == entry.object]
    return visit.show("entry.html.j2", zone=zone, entry=entry, others=others, last=index.reached())


def _told(index: Index) -> int:
    """How many entries the signed head tells; 0 when it cannot be read, which the fault says already."""
    try:
        return index.ledger.head()[0]
    except CreditError:
        return 0
