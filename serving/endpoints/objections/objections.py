"""Objection (异议): a subject, through its bank, asks for an explanation, a correction, or a person to look again.

PIPL article 24 gives whoever a decision made by a machine concerns the right to an explanation and to refuse it. An
objection is a petition: its course is in the ledger, its words, which may speak of people, are in the access database.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from credit.actor import Actor, Role
from credit.canonical import canonical, digest
from credit.errors import Malformed, Missing
from credit.ledger import Entry, Ledger
from credit.petition import Petition, State, fold_petition, require_move
from serving.auth.access_database import AccessDatabase
from serving.core.recovery import earlier_entry
from serving.core.request import ANSWERED, LIVE, RequestContext, resource_id
from serving.core.service import ScoringService
from serving.responses.request_schemas import ObjectionRequestSchema, parse_body

KIND, DAYS = "objection", 20  # days within which a person answers
OUTCOMES = {"upheld": "granted", "dismissed": "refused"}  # what a reviewer may find -> the petition's move


async def object_to(service: ScoringService, call: RequestContext, body: bytes) -> bytes:
    """Take an objection to an answer that this bank was given. Raises Malformed, and Missing for another's answer."""
    asked = parse_body(ObjectionRequestSchema, body)
    given = await asyncio.to_thread(service.journal.lines_about, asked.score_id)
    if not any(entry.verb in (ANSWERED, LIVE) and entry.by == call.by for entry in given):
        raise Missing("objections.no-such-answer")
    name = resource_id(f"{KIND}-", call)
    due = (service.settings.day() + timedelta(days=DAYS)).isoformat()
    details = {
        "score_id": asked.score_id, "kind": asked.kind, "statement": digest(asked.statement.encode()), "due": due
    }  # fmt: skip
    entry = await earlier_entry(service, call, f"{KIND}.asked", name)
    if entry is None:
        sql, row = "INSERT OR IGNORE INTO objection VALUES (?, ?, ?, ?, ?)", (name, call.by.name, asked.score_id)
        service.access.rows(sql, *row, asked.kind, asked.statement)
        entry = await service.ledger_writer.record(f"{KIND}.asked", name, by=call.by, details=details)
    return canonical({
        "objection_id": name, "score_id": asked.score_id, "kind": asked.kind, "state": State.REQUESTED,
        "due": entry.details["due"],
        "receipt": {"entry": entry.id, "seq": entry.seq, "digest": details["statement"]},
    })  # fmt: skip


def objection_status(entries: Iterable[Entry], name: str, bank: str) -> dict[str, Any]:
    """How an objection of `bank` stands. Raises Missing, also for another bank's."""
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


def decide(access: AccessDatabase, ledger: Ledger, name: str, outcome: str, *, by: Actor, why: str) -> Petition:
    """A person of the platform answers an objection; `why` is what the subject will read, and names nobody.

    Raises Malformed, Missing, and Refused for one who is not of the platform or an objection decided already.
    """
    by.require_role(Role.PLATFORM, act="act.answer-objection")
    if outcome not in OUTCOMES or not why.strip():
        raise Malformed("objections.objection-upheld-or-dismissed-for")
    if not access.rows("SELECT id FROM objection WHERE id = ?", name):
        raise Missing("objections.no-such-objection-2")
    require_move(fold_petition(ledger.entries(), KIND, name), OUTCOMES[outcome], object_id=name)
    ledger.append(f"{KIND}.{OUTCOMES[outcome]}", name, by=by, details={"why": why})
    decided = fold_petition(ledger.entries(), KIND, name)
    assert decided is not None
    return decided
