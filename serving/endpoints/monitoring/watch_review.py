"""Looking after watches: each new snapshot against what the bank knows, and the end when the mandate's ends."""

from __future__ import annotations

from datetime import UTC, datetime

from credit.canonical import canonical, digest
from credit.errors import Lapsed, Refused
from credit.ledger import Entry
from credit.subjects import SubjectKey
from serving.auth.mandates import Mandate
from serving.bank.webhooks import new_id
from serving.core.request import SERVICE
from serving.core.service import ScoringService
from serving.data.snapshot import ActiveSnapshot
from serving.endpoints.monitoring.changes import changes, watched_state
from serving.endpoints.monitoring.watch_store import Watch, WatchStore
from serving.responses.compose import NOTICE

CHANGED, ENDED = "watch.changed", "watch.ended"


def review_watches(service: ScoringService, store: WatchStore, *, every: bool = True) -> None:
    """One round over every living watch, or over those alone that have not seen what serves now.

    A watch is ended when its mandate is, and compared with a snapshot it has not seen.
    """
    day = service.settings.day()
    serving = [state["snapshot"] for state in service.snapshots.state(day).values() if "snapshot" in state]
    for watch in store.watches() if every else store.unseen(serving):
        mandate = current_mandate(service, watch)
        if isinstance(mandate, str):
            end_watch(service, store, watch, mandate)
            continue
        try:
            book = service.snapshots.for_model(watch.model, day)
            service.snapshots.suppression.require(watch.subject, book.notice_number)
        except (Lapsed, KeyError):  # nothing may be answered now, so nothing is told either
            continue
        if book.snapshot != watch.seen:
            _compare(service, store, watch, book, mandate)


def current_mandate(service: ScoringService, watch: Watch) -> Mandate | str:
    """The mandate when it still opens the subject to the bank, else why not."""
    client = service.access.client(watch.bank)
    if client is None or client.disabled:
        return "the bank may not call"
    try:
        return service.gate.require(
            watch.mandate, bank=watch.bank, subject=SubjectKey(watch.subject), purpose=watch.purpose,
            day=service.settings.day(), judge=SERVICE,
        )  # fmt: skip
    except Refused as refused:
        return refused.why or "the mandate opens nothing"


def end_watch(service: ScoringService, store: WatchStore, watch: Watch, why: str) -> None:
    """End a watch; the ledger first."""
    record_entry(service, ENDED, watch.id, {"bank": watch.bank, "subject": watch.subject, "why": why})
    store.end(watch.id, why)


def record_entry(service: ScoringService, verb: str, thing: str, details: dict[str, object]) -> Entry:
    """An entry of the service's own doing, durable when this returns."""
    return service.journal.append_many([(verb, thing, SERVICE, details)])[0]


def _compare(service: ScoringService, store: WatchStore, watch: Watch, book: ActiveSnapshot, mandate: Mandate) -> None:
    row = book.row_of(SubjectKey(watch.subject))
    if row is None or watch.told is None:
        end_watch(service, store, watch, "the subject is in the snapshots no more")
        return
    after, message = watched_state(book, row), new_id()
    found = changes(watch.told, after, book.scorecard.grades, watch.kinds)
    if not found:
        store.queue_change(watch, book.snapshot, book.version, after, message, None)
        return
    until = min(book.valid_until(service.settings.freshness_days), mandate.valid_until)
    body = canonical({
        "type": CHANGED,
        "timestamp": datetime.now(UTC).isoformat(timespec="seconds"),
        "data": {
            "watch_id": watch.id, "mandate": watch.mandate, "purpose": watch.purpose, "changes": found,
            "model": watch.model, "version": book.version, "version_changed": book.version != watch.version,
            "snapshot": {"id": book.snapshot, "as_of": book.as_of.isoformat()}, "valid_until": until.isoformat(),
            "notice": NOTICE,
        },
    })  # fmt: skip
    details: dict[str, object] = {
        "bank": watch.bank, "subject": watch.subject, "mandate": watch.mandate, "message": message,
        "snapshot": book.snapshot, "kinds": [change["kind"] for change in found], "digest": digest(body),
    }  # fmt: skip
    record_entry(service, CHANGED, watch.id, details)
    store.queue_change(watch, book.snapshot, book.version, after, message, body)
