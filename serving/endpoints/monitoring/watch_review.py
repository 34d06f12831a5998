"""The review of watches: each new snapshot is compared with what the bank was informed of, and watches end with
their mandates.
"""

from __future__ import annotations

from datetime import UTC, datetime

from credit.canonical import canonical, digest
from credit.errors import Lapsed, Refused
from credit.ledger import Entry
from credit.subjects import SubjectKey
from serving.auth.clients import AGENCY
from serving.auth.mandates import Mandate
from serving.core.request import SERVICE
from serving.core.service import ScoringService
from serving.data.snapshot import ActiveSnapshot
from serving.endpoints.monitoring.changes import changes, watched_state
from serving.endpoints.monitoring.watch_store import Watch, WatchStore
from serving.endpoints.monitoring.webhook_signing import new_id
from serving.responses.compose import NOTICE

CHANGED, ENDED = "watch.changed", "watch.ended"


def review_watches(service: ScoringService, store: WatchStore, *, every: bool = True) -> None:
    """Review every active watch once, or with `every=False` only those that have not seen the active snapshots.

    A watch ends when its mandate does. Otherwise it is compared with a snapshot that it has not seen.
    """
    day = service.settings.day()
    active = [state["snapshot"] for state in service.snapshots.state(day).values() if "snapshot" in state]
    for watch in store.watches() if every else store.unseen(active):
        mandate = current_mandate(service, watch)
        if isinstance(mandate, str):
            end_watch(service, store, watch, mandate)
            continue
        try:
            snapshot = service.snapshots.for_model(watch.model, day)
            service.snapshots.suppression.require(watch.subject, snapshot.notice_number)
        except (Lapsed, KeyError):  # no answer may be given now, so nothing is reported either
            continue
        if snapshot.snapshot != watch.seen:
            _compare(service, store, watch, snapshot, mandate)


def current_mandate(service: ScoringService, watch: Watch) -> Mandate | str:
    """The mandate when it is still valid for the bank and the subject, else the reason why not."""
    client = service.access.client(watch.bank)
    if client is None or client.disabled or client.kind == AGENCY:
        return "the bank may not call"
    try:
        return service.gate.require(
            watch.mandate, bank=watch.bank, subject=SubjectKey(watch.subject), purpose=watch.purpose,
            day=service.settings.day(), judge=SERVICE,
        )  # fmt: skip
    except Refused as refused:
        return refused.why or "the mandate opens nothing"


def end_watch(service: ScoringService, store: WatchStore, watch: Watch, why: str) -> None:
    """End a watch; the ledger entry is written first."""
    record_entry(service, ENDED, watch.id, {"bank": watch.bank, "subject": watch.subject, "why": why})
    store.end(watch.id, why)


def record_entry(service: ScoringService, verb: str, object_id: str, details: dict[str, object]) -> Entry:
    """Record an act of the service itself; durable on return."""
    return service.journal.append_many([(verb, object_id, SERVICE, details)])[0]


def _compare(
    service: ScoringService, store: WatchStore, watch: Watch, snapshot: ActiveSnapshot, mandate: Mandate
) -> None:
    row = snapshot.row_of(SubjectKey(watch.subject))
    if row is None or watch.reported is None:
        end_watch(service, store, watch, "the subject is in the snapshots no more")
        return
    after, delivery_id = watched_state(snapshot, row), new_id()
    changed = changes(watch.reported, after, snapshot.scorecard.grades, watch.kinds)
    if not changed:
        store.queue_change(watch, snapshot.snapshot, snapshot.version, after, delivery_id, None)
        return
    valid_until = min(snapshot.valid_until(service.settings.freshness_days), mandate.valid_until)
    body = canonical(
        {
            "type": CHANGED,
            "timestamp": datetime.now(UTC).isoformat(timespec="seconds"),
            "data": {
                "watch_id": watch.id,
                "mandate": watch.mandate,
                "purpose": watch.purpose,
                "changes": changed,
                "model": watch.model,
                "version": snapshot.version,
                "version_changed": snapshot.version != watch.version,
                "snapshot": {"id": snapshot.snapshot, "as_of": snapshot.as_of.isoformat()},
                "valid_until": valid_until.isoformat(),
                "notice": NOTICE,
            },
        }
    )
    details: dict[str, object] = {
        "bank": watch.bank, "subject": watch.subject, "mandate": watch.mandate, "message": delivery_id,
        "snapshot": snapshot.snapshot, "kinds": [change["kind"] for change in changed], "digest": digest(body),
    }  # fmt: skip
    record_entry(service, CHANGED, watch.id, details)
    store.queue_change(watch, snapshot.snapshot, snapshot.version, after, delivery_id, body)
