"""POST /v1/outcomes: a bank reports events of its loans, each under a mandate in force on the event's day."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import date
from typing import Any

from fastapi import Request

from credit.canonical import canonical, digest, digest_json
from credit.errors import CreditError, Malformed, Refused
from credit.messages import preferred
from credit.uscc import Uscc
from serving.auth.mandates import LENDING_PURPOSES
from serving.core.recovery import earlier_entry
from serving.core.request import SERVICE, RequestContext, resource_id
from serving.core.service import ScoringService
from serving.endpoints.outcomes.outcome_rules import LoanEvent, require_timely
from serving.endpoints.outcomes.outcome_schemas import OutcomesRequestSchema, OutcomesSchema, ReportedOutcomeSchema
from serving.endpoints.outcomes.outcome_store import EventResult, ReportedEvent, judge_and_insert, mark_recorded
from serving.http.routing import ProductRoute
from serving.i18n.languages import ACCEPTED
from serving.responses.request_schemas import parse_body

RECEIVED, SCOPE, PAUSE = "outcomes.received", "outcome", 20  # after how many mandates the others get a turn


async def outcomes(request: Request, service: ScoringService, call: RequestContext, body: bytes) -> bytes:
    """What the service made of each event. Raises Malformed for a body that cannot be read, TooMany, StoreUnavailable.

    An event that is refused touches no other. Each event costs one call of the quota.
    """
    reported = parse_body(OutcomesRequestSchema, body).outcomes
    service.quotas.take(call.by.name, call.limit, len(reported) - 1, counted=1)
    name, today = resource_id("outcomes-", call), service.settings.day()
    results: dict[int, EventResult] = {}
    allowed: dict[int, ReportedEvent] = {}
    for number, one in enumerate(reported):
        try:
            allowed[number] = _allowed(service, call, f"{name}-{number}", one, today)
        except CreditError as fault:
            results[number] = EventResult(fault=fault)
        if number % PAUSE == PAUSE - 1:
            await asyncio.sleep(0)
    stored = await service.store.apply(judge_and_insert(name, list(allowed.values()), today), durable=True)
    results |= dict(zip(allowed, stored, strict=True))
    answer = _answer(name, [results[number] for number in range(len(reported))])
    details = _details(call, answer, results)
    entry = await earlier_entry(service, call, RECEIVED, name) or await service.ledger_writer.record(
        RECEIVED, name, by=call.by, details=details
    )
    await service.store.apply(mark_recorded(name, entry.id), durable=True)
    request.app.state.background_tasks.wake()  # which seals it
    receipt = {"entry": entry.id, "seq": entry.seq, "digest": entry.details["digest"]}
    return canonical({**answer, "receipt": receipt})


def _allowed(
    service: ScoringService, call: RequestContext, id: str, one: ReportedOutcomeSchema, today: date
) -> ReportedEvent:
    """The event, if its mandate was in force on its day and is not revoked. Raises Malformed, Refused."""
    code = Uscc.parse(one.uscc).code
    try:
        day = date.fromisoformat(one.happened_on)
    except ValueError:
        raise Malformed("outcomes.not-a-day") from None
    if one.purpose not in LENDING_PURPOSES:
        raise Refused("outcomes.not-a-lending-purpose", purposes=", ".join(LENDING_PURPOSES))
    subject = service.pseudonyms.key_of(code)
    event = LoanEvent(id, subject.hex, one.event, day, one.days_overdue)
    is_late = require_timely(event, today)
    service.gate.require(one.mandate, bank=call.by.name, subject=subject, purpose=one.purpose, day=day, judge=SERVICE)
    loan = service.pseudonyms.hex_of(digest_json(["loan", call.by.name, one.loan]))
    return ReportedEvent(call.by.name, loan, event, is_late, one.replaces)


def _answer(name: str, results: list[EventResult]) -> dict[str, Any]:
    counts = Counter(_result(each) for each in results)
    return {
        "outcomes_id": name, "outcomes": [_part(each) for each in results],
        **{result: counts[result] for result in ("accepted", "repeated", "refused")},
    }  # fmt: skip


def _part(each: EventResult) -> dict[str, Any]:
    if each.fault is not None:
        problem = each.fault.problem(preferred(ACCEPTED.get()))
        return {"result": _result(each), "status": each.fault.status, "problem": problem}
    return {"result": _result(each), "status": 200, "outcome_id": each.id, "late": each.late}


def _result(each: EventResult) -> str:
    return "refused" if each.fault is not None else "repeated" if each.is_repeated else "accepted"


def _details(call: RequestContext, answer: dict[str, Any], results: dict[int, EventResult]) -> dict[str, Any]:
    """What the entry holds: how many of each result, why the refused were, and no subject."""
    why = Counter(each.fault.message.id for each in results.values() if each.fault is not None)
    counts = {result: answer[result] for result in ("accepted", "repeated", "refused")}
    return {
        **call.details, **counts, "late": sum(each.late for each in results.values()), "why": dict(sorted(why.items())),
        "status": 200, "digest": digest(canonical(answer)),
    }  # fmt: skip


ROUTES = (
    ProductRoute(
        "POST", "/v1/outcomes", SCOPE, outcomes, "Report events of loans", OutcomesRequestSchema, OutcomesSchema,
        repeated="outcomes.repeated",
    ),
)  # fmt: skip
