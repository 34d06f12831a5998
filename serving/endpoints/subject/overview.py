"""What the subject's page shows: applications that wait for it, its mandates, who asked, and its objections."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from credit.actor import Actor, Role
from credit.ledger import LookUp
from credit.petition import fold_petition
from serving.core.service import ScoringService
from serving.endpoints.objections.objections import KIND
from serving.endpoints.subject.history import SCORED, inquiries_about
from serving.mandates.application_store import ApplicationStore
from serving.mandates.rules import ApplicationState, Evidence

_IN_FORCE = (ApplicationState.GRANTED, ApplicationState.ACCEPTED)
_ENDED = (ApplicationState.REVOKED, ApplicationState.EXPIRED)


@dataclass(frozen=True, slots=True)
class Filed:
    """An objection that the subject filed here."""

    at: datetime
    state: str
    outcome: str


def overview(service: ScoringService, store: ApplicationStore, subject: str) -> dict[str, Any]:
    """The values of the page. Raises Broken when the ledger does not verify."""
    waiting = [each for each in store.of_subject(subject, ApplicationState.WAITING) if each.evidence == Evidence.PAGE]
    mandates = store.of_subject(subject, *_IN_FORCE) + store.of_subject(subject, *_ENDED, limit=100)
    inquiries, complete = inquiries_about(service.journal, subject)
    scores = [each for each in inquiries if each.verb in SCORED]
    return {"waiting": waiting, "mandates": mandates, "inquiries": inquiries, "complete": complete,
            "scores": scores[:50], "objections": objections_of(service, subject)}  # fmt: skip


def objections_of(service: ScoringService, subject: str) -> list[Filed]:
    """The objections that a subject filed at its page, the first one first. Raises Broken."""
    by, filed = str(Actor(subject, Role.SUBJECT)), []
    for entry in service.journal.find(LookUp(verb=f"{KIND}.asked", by=by)):
        entries = service.journal.about(entry.object)
        petition = fold_petition(entries, KIND, entry.object)
        if petition is not None:
            outcome = str(entries[-1].details.get("why", "")) if petition.decided_by else ""
            filed.append(Filed(entry.at, str(petition.state), outcome))
    return filed
