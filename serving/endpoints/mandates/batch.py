"""A batch of applications for mandates: up to a thousand, each judged by itself, with one entry each."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from fastapi import Request

from credit.canonical import canonical
from credit.errors import CreditError
from credit.messages import preferred
from serving.audit.identifiers import part_of
from serving.core.recovery import resume_request
from serving.core.request import RequestContext, ResumedRequest, resource_id
from serving.core.service import ScoringService
from serving.endpoints.mandates.schemas import ApplicationBatchRequestSchema, ApplicationRequestSchema
from serving.i18n.languages import ACCEPTED
from serving.mandates.application_store import Application, Draft
from serving.mandates.applications import Applications, record
from serving.mandates.rules import KIND
from serving.responses.request_schemas import parse_body

_AT_ONCE = 50  # drafts made in a thread before other requests get a turn


async def apply_batch(request: Request, service: ScoringService, call: RequestContext, body: bytes) -> bytes:
    """Record each application of a batch, or refuse it.

    Raises Malformed for a body that cannot be read, and TooMany when the bank's quota has fewer calls left.
    """
    wanted = parse_body(ApplicationBatchRequestSchema, body).applications
    applications: Applications = request.app.state.applications
    service.quotas.take(call.by.name, call.limit, len(wanted) - 1, counted=1)
    await asyncio.to_thread(applications.require_capacity, call.by.name, [each.evidence for each in wanted])
    batch, parts = resource_id(f"{KIND}s-", call), [_part_of(call, number) for number in range(len(wanted))]
    drafts: list[Draft | CreditError | Application] = []
    for start in range(0, len(wanted), _AT_ONCE):
        some = list(zip(parts[start : start + _AT_ONCE], wanted[start : start + _AT_ONCE], strict=True))
        drafts += await asyncio.to_thread(_draft, service, applications, some, batch)
    fresh = [each for each in drafts if not isinstance(each, Application)]
    written = iter(await asyncio.to_thread(applications.write, fresh))
    made = [each if isinstance(each, Application) else next(written) for each in drafts]
    answers = await asyncio.gather(
        *(_answer(service, part, applications, one) for part, one in zip(parts, made, strict=True))
    )
    request.app.state.background_tasks.wake()
    return canonical({"batch_id": batch, "applications": answers})


def _draft(
    service: ScoringService,
    applications: Applications,
    some: Sequence[tuple[RequestContext, ApplicationRequestSchema]],
    batch: str,
) -> list[Draft | CreditError | Application]:
    drafts: list[Draft | CreditError | Application] = []
    for part, each in some:
        name = resource_id(f"{KIND}-", part)
        try:
            service.quotas.take(part.by.name, part.limit, 0)  # a bank that has used up its refusals is stopped here
            existing = applications.store.application(name)
            drafts.append(existing or applications.draft(service, part, name, each.requested(), batch))
        except CreditError as refused:
            drafts.append(refused)
    return drafts


async def _answer(
    service: ScoringService, part: RequestContext, applications: Applications, one: Application | CreditError
) -> dict[str, Any]:
    if isinstance(one, CreditError):
        name = await service.record_refusal(part, one)
        problem = {**one.problem(preferred(ACCEPTED.get())), "score_id": name}
        return {"status": one.status, "problem": problem}
    return {"status": 200, "application": await record(service, part, applications, one)}


def _part_of(whole: RequestContext, number: int) -> RequestContext:
    details = {"bank": whole.by.name, "batch": whole.id}
    part = RequestContext(part_of(whole.id, number), whole.by, details, limit=whole.limit, bucket=whole.bucket)
    return resume_request(part, part.id) if isinstance(whole, ResumedRequest) else part
