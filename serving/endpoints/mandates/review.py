"""The review of applications and mandates: what ended is marked as ended, and the bank is notified of every decision.

It runs in the process of the background tasks, at intervals, and may be interrupted anywhere: each notification has an
id that follows from the application and its state, so it is queued once.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from credit.canonical import canonical
from credit.envelope import verify_envelope
from credit.errors import CreditError
from credit.keys import KeyRing
from credit.ledger import LookUp
from serving.auth.mandates import PAYLOAD_TYPE, Mandate, mark_revoked
from serving.core.request import SERVICE
from serving.core.service import ScoringService
from serving.endpoints.monitoring.service_notices import NoticeStore
from serving.endpoints.monitoring.watch_store import WatchStore
from serving.mandates.application_store import Application, ApplicationStore
from serving.mandates.decisions import reconcile, settle_draft
from serving.mandates.documents import KEPT_DAYS
from serving.mandates.rules import ApplicationState, Evidence

GRANTED, REFUSED, REVOKED, EXPIRED = "mandate.granted", "mandate.refused", "mandate.revoked", "mandate.expired"
DOCUMENT_DELETED = "document.deleted"
EVENTS = {
    ApplicationState.GRANTED: GRANTED,
    ApplicationState.REFUSED: REFUSED,
    ApplicationState.LAPSED: REFUSED,
    ApplicationState.REVOKED: REVOKED,
    ApplicationState.EXPIRED: EXPIRED,
}
SWEEP_EVERY = timedelta(minutes=1)
SETTLE_SECONDS = 60.0  # after which a draft was left by a killed process
_AT_ONCE = 1000


@dataclass(slots=True)
class MandateReview:
    """The review over the service's stores; `swept_at` is when the ledger was last searched for revocations."""

    service: ScoringService
    store: ApplicationStore
    watches: WatchStore
    notices: NoticeStore
    ring: KeyRing
    swept_at: datetime | None = field(default=None, init=False)
    generation: object = field(default=None, init=False)  # of the mandates when they were last looked through
    seen: set[str] = field(default_factory=set, init=False)

    def recover(self) -> None:
        """After a start: repeat what the ledger says of applications that wait."""
        above = 0
        while rows := self.store.in_state(ApplicationState.WAITING, above=above):
            for each in rows:
                reconcile(self.store, self.service.journal, each.id)
            above = rows[-1].number

    def review(self) -> None:
        """Review everything once. Raises Broken when the ledger cannot be written."""
        for draft in self.store.in_state(ApplicationState.DRAFT, made_before=time.time() - SETTLE_SECONDS):
            settle_draft(self.store, self.service.journal, draft)
        self._finish_revocations()
        now = self.service.access.generation()
        has_changed = now != self.generation
        if has_changed:
            self._adopt()
        self._notify()  # of what was granted before it may have ended below
        if has_changed:
            self._see_revocations()
        self.generation = now
        self._expire()
        self._lapse()
        self._delete_documents()
        self._notify()

    def _adopt(self) -> None:
        """Add the mandates that the platform granted without an application."""
        for (name,) in self.service.access.rows("SELECT id FROM mandate"):
            if str(name) in self.seen:
                continue
            ((envelope,),) = self.service.access.rows("SELECT envelope FROM mandate WHERE id = ?", name)
            try:
                content = verify_envelope(json.loads(str(envelope)), PAYLOAD_TYPE, self.ring, {"platform"})
                mandate = Mandate.of(content)
            except (CreditError, ValueError):
                continue  # the gate refuses it too
            if mandate.document_kind not in set(Evidence):
                self.store.adopt(mandate)
            self.seen.add(mandate.id)

    def _finish_revocations(self) -> None:
        """Refuse the mandates that the ledger says are revoked: a process may have been killed after the entry."""
        now = datetime.now(UTC)
        if self.swept_at is not None and now - self.swept_at < SWEEP_EVERY:
            return
        since = None if self.swept_at is None else self.swept_at - SWEEP_EVERY
        for entry in self.service.journal.find(LookUp(verb=REVOKED, since=since)):
            sql = "SELECT 1 FROM mandate WHERE id = ? AND revoked_at IS NULL"
            if self.service.access.rows(sql, entry.object):
                mark_revoked(self.service.access, entry.object)
        self.swept_at = now

    def _see_revocations(self) -> None:
        """Say so of applications whose mandate was revoked, whenever and by whatever clock."""
        while revoked := self.store.revoked(_AT_ONCE):
            for each in revoked:
                self.store.move(each.id, ApplicationState.REVOKED)

    def _expire(self) -> None:
        today = self.service.settings.day().isoformat()
        for each in self.store.in_state(ApplicationState.GRANTED, until=today):
            details: dict[str, Any] = {"bank": each.bank, "application": each.id}
            self.service.journal.append_many([(EXPIRED, str(each.mandate), SERVICE, details)])
            self.store.move(each.id, ApplicationState.EXPIRED)

    def _lapse(self) -> None:
        now = time.time()
        for each in self.store.overdue(now):
            reconcile(self.store, self.service.journal, each.id)  # it may have been decided at the last moment
            self.store.move(each.id, ApplicationState.LAPSED)

    def _delete_documents(self) -> None:
        """Delete the documents of mandates that ended long ago, each after its entry."""
        last = (self.service.settings.day() - timedelta(days=KEPT_DAYS)).isoformat()
        while old := self.store.with_old_document(last, _AT_ONCE):
            for each in old:
                details: dict[str, Any] = {"bank": each.bank, "mandate": each.mandate, "digest": each.digest}
                self.service.journal.append_many([(DOCUMENT_DELETED, each.id, SERVICE, details)])
                self.store.delete_document(each.id)

    def _notify(self) -> None:
        """Queue the webhooks of what changed."""
        while changed := self.store.unnotified(_AT_ONCE):
            for each in changed:
                event = EVENTS.get(each.state)
                if event is not None and self.watches.webhook(each.bank) is not None:
                    self.notices.queue([each.bank], f"{each.id} {each.state}", event_body(event, each))
                self.store.mark_notified(each)


def event_body(event: str, application: Application) -> bytes:
    """The body of a webhook: ids and days, never the subject."""
    return canonical({
        "type": event, "timestamp": datetime.now(UTC).isoformat(timespec="seconds"),
        "data": {"application_id": application.id, "mandate": application.mandate, "purpose": application.purpose,
                 "until": application.until, "state": application.state, "reason": application.reason("en")},
    })  # fmt: skip
