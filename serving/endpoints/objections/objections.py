"""Objection (异议): a subject, through its bank, requests an explanation, a correction, or a review by a person.

PIPL article 24 gives a person affected by an automated decision the right to an explanation, and the right to refuse
it. An objection is a petition: its course is in the ledger; its statement, which may contain personal information,
is in the store.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from credit.actor import Actor, Role
from credit.canonical import canonical, digest
from credit.errors import Missing
from credit.ledger import Entry
from credit.petition import State, fold_petition
from serving.core.recovery import earlier_entry
from serving.core.request import ANSWERED, LIVE, RequestContext, resource_id
from serving.core.service import ScoringService
from serving.responses.request_schemas import ObjectionRequestSchema, parse_body
from serving.store.store import statement

KIND, DAYS = "objection", 20  # days within which a person decides
REQUESTED = f"{KIND}.asked"
_INSERT = (
    "INSERT INTO objection (id, bank, score_id, kind, statement) VALUES (?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING"
)


@dataclass(frozen=True, slots=True)
class Objection:
    """What is objected to: an answer to `bank`, and the words of the objection, which may be personal."""

    id: str
    bank: str
    score_id: str
    kind: str
    statement: str = field(repr=False)


async def object_to(service: ScoringService, call: RequestContext, body: bytes) -> bytes:
    """Record an objection to an answer that this bank received.

    Raises Malformed, and Missing for another bank's answer.
    """
    request = parse_body(ObjectionRequestSchema, body)
    entries = await asyncio.to_thread(service.journal.about, request.score_id)
    if not any(entry.verb in (ANSWERED, LIVE) and entry.by == call.by for entry in entries):
        raise Missing("objections.no-such-answer")
    objection = Objection(resource_id(f"{KIND}-", call), call.by.name, request.score_id, request.kind,
                          request.statement)  # fmt: skip
    entry = await file_objection(
        service, objection, by=call.by, earlier=await earlier_entry(service, call, REQUESTED, objection.id)
    )
    return canonical({
        "objection_id": objection.id, "score_id": request.score_id, "kind": request.kind, "state": State.REQUESTED,
        "due": entry.details["due"],
        "receipt": {"entry": entry.id, "seq": entry.seq, "digest": digest(request.statement.encode())},
    })  # fmt: skip


async def file_objection(
    service: ScoringService, objection: Objection, *, by: Actor, earlier: Entry | None = None, subject: str = ""
) -> Entry:
    """Record an objection by a bank or by the `subject` itself (its pseudonym), and then keep its statement.

    An entry that was made `earlier`, before a kill, is not made again. Raises StoreUnavailable.
    """
    details = {
        "score_id": objection.score_id,
        "kind": objection.kind,
        "statement": digest(objection.statement.encode()),
        "due": (service.settings.day() + timedelta(days=DAYS)).isoformat(),
        **({"subject": subject} if subject else {}),
    }
    entry = earlier or await service.ledger_writer.record(REQUESTED, objection.id, by=by, details=details)
    row = (objection.id, objection.bank, objection.score_id, objection.kind, objection.statement)
    await service.store.apply(statement(_INSERT, *row), durable=True)
    return entry


def objection_status(entries: Iterable[Entry], name: str, bank: str) -> dict[str, Any]:
    """The status of an objection of `bank`. Raises Missing, also for another bank's objection."""
    own = [entry for entry in entries if entry.object == name]
    petition = fold_petition(own, KIND, name)
    if petition is None or petition.requested_by != Actor(bank, Role.BANK):
        raise Missing("objections.no-such-objection")
    return {
        "objection_id": name,
        "score_id": own[0].details["score_id"],
        "kind": own[0].details["kind"],
        "state": petition.state,
        "asked_at": petition.requested_at.isoformat(),
        "due": own[0].details["due"],
        "decided_by": str(petition.decided_by) if petition.decided_by else None,
        "decided_at": petition.decided_at.isoformat() if petition.decided_at else None,
        "outcome": own[-1].details.get("why") if petition.decided_by else None,
    }
