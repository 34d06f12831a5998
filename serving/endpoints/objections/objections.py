"""Objection (异议): a subject, through its bank, requests an explanation, a correction, or a review by a person.

PIPL article 24 gives a person affected by an automated decision the right to an explanation, and the right to refuse
it. An objection is a petition: its course is in the ledger; its statement, which may contain personal information,
is in the access database.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
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

KIND, DAYS = "objection", 20  # days within which a person decides


async def object_to(service: ScoringService, call: RequestContext, body: bytes) -> bytes:
    """Record an objection to an answer that this bank received.

    Raises Malformed, and Missing for another bank's answer.
    """
    request = parse_body(ObjectionRequestSchema, body)
    entries = await asyncio.to_thread(service.journal.lines_about, request.score_id)
    if not any(entry.verb in (ANSWERED, LIVE) and entry.by == call.by for entry in entries):
        raise Missing("objections.no-such-answer")
    name = resource_id(f"{KIND}-", call)
    due = (service.settings.day() + timedelta(days=DAYS)).isoformat()
    details = {
        "score_id": request.score_id, "kind": request.kind, "statement": digest(request.statement.encode()), "due": due
    }  # fmt: skip
    entry = await earlier_entry(service, call, f"{KIND}.asked", name)
    if entry is None:
        sql, row = "INSERT OR IGNORE INTO objection VALUES (?, ?, ?, ?, ?)", (name, call.by.name, request.score_id)
        service.access.rows(sql, *row, request.kind, request.statement)
        entry = await service.ledger_writer.record(f"{KIND}.asked", name, by=call.by, details=details)
    return canonical({
        "objection_id": name, "score_id": request.score_id, "kind": request.kind, "state": State.REQUESTED,
        "due": entry.details["due"],
        "receipt": {"entry": entry.id, "seq": entry.seq, "digest": details["statement"]},
    })  # fmt: skip


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
