"""A bank's own page (本行): its keys, its usage and its log of requests, from the ledgers; nothing of other banks.

No subject is shown, not even by pseudonym: of each entry the page shows the fields that it names.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from fastapi import APIRouter
from fastapi.responses import Response

from credit.errors import Refused
from lab.console.access_rules import BANK, get_page
from lab.console.app_state import AppState
from lab.console.ledgers.audited_entry import shown_object
from lab.console.ledgers.ledger_index import LedgerSearch
from lab.console.request_session import CurrentSession

PER_PAGE = 50
router = APIRouter()


@dataclass(frozen=True, slots=True)
class RequestLine:
    """One line of the log."""

    at: datetime
    verb: str
    id: str
    status: str
    purpose: str
    model: str


@get_page(router, "/bank", BANK)
def bank_page(session: CurrentSession, before: int = 0) -> Response:
    """The page of the bank that the platform team wrote into the account."""
    bank = session.account.bank if session.account else ""
    if not bank:
        raise Refused("accounts.bank-of-account")
    service = session.app_state.indexes.get("service")
    lines: list[RequestLine] = []
    older, counts = 0, []
    if service is not None:
        service.read_block()
        search = LedgerSearch(by=f"bank:{bank}")
        numbers = service.find(search, before=max(before, 0), limit=PER_PAGE + 1)
        older = numbers[PER_PAGE - 1] if len(numbers) > PER_PAGE else 0
        for entry in service.read(numbers[:PER_PAGE]):
            status, purpose, model = (str(entry.details.get(key, "")) for key in ("status", "purpose", "model"))
            lines.append(RequestLine(entry.at, entry.verb, shown_object(entry.object), status, purpose, model))
        counts = service.count_by_status(search, month=session.app_state.today().isoformat()[:7])
    keys = registered_keys(session.app_state, bank)
    return session.page("bank.html.j2", bank=bank, keys=keys, lines=lines, counts=counts, older=older, read=service)


def registered_keys(app_state: AppState, bank: str) -> dict[str, datetime]:
    """The fingerprints of the bank's keys with the moment of their registration, from the platform's ledger."""
    index, keys = app_state.indexes.get("platform"), dict[str, datetime]()
    if index is None:
        return keys
    index.read_block()
    for entry in index.entries("bank.added", "bank.changed", object=f"bank-{bank}"):
        keys.pop(str(entry.details.get("drop_key", "")), None)
        if key := entry.details.get("key"):
            keys[str(key)] = entry.at
    return keys
