"""A batch: up to a thousand subjects in one request, each judged separately, with its own id and ledger entry.

A repetition under an idempotency key is judged part by part too: a part that may still be given is repeated byte for
byte.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import replace

import msgspec

from credit.errors import CreditError, Malformed
from credit.ledger import Entry, LookUp
from credit.messages import preferred
from serving.audit.identifiers import part_of, score_id
from serving.core.recovery import DifferentAnswer, RecordedEntryWriter
from serving.core.request import ANSWERED, RequestContext, ResumedRequest
from serving.core.service import ScoringService
from serving.i18n.languages import ACCEPTED
from serving.idempotency.stored_answer import StoredAnswer
from serving.responses.request_schemas import BatchRequestSchema, ScoreRequest, parse_body

MAX_REQUESTS, PAUSE = 1000, 20  # asks in a batch; after how many the others get a turn


class BatchRequest(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """The fields of `BatchRequestSchema`, decoded by msgspec."""

    asks: list[ScoreRequest]


class AnsweredParts(msgspec.Struct, frozen=True):
    """A batch's answer, decoded into its parts; each part stays as bytes."""

    answers: list[msgspec.Raw]


class AnsweredPart(msgspec.Struct, frozen=True):
    """One part: its status, and the answer's bytes when it was answered."""

    status: int
    answer: msgspec.Raw = msgspec.Raw(b"")


_decode = msgspec.json.Decoder(BatchRequest).decode
_decode_parts, _decode_part = msgspec.json.Decoder(AnsweredParts).decode, msgspec.json.Decoder(AnsweredPart).decode


async def batch(service: ScoringService, call: RequestContext, body: bytes) -> bytes:
    """`{"answers":[{"status":200,"answer":…} or {"status":403,"problem":…}, …]}` in the order of the request.

    Raises Malformed for a body that cannot be read, TooMany when the bank's quota has fewer calls left.
    """
    requests, entries = _read_requests(body), await _answered_entries(service, call)
    service.quotas.take(
        call.by.name, call.limit, max(0, len(requests) - len(entries) - 1), counted=1
    )  # the first one was counted on admission
    tasks: list[asyncio.Task[bytes]] = []
    for number, request in enumerate(requests):
        name = part_of(call.id, number)
        tasks.append(asyncio.create_task(_one(service, call, name, request, entries.get(name))))
        if number % PAUSE == PAUSE - 1:
            await asyncio.sleep(0)
    return _join(await asyncio.gather(*tasks))


async def batch_again(
    service: ScoringService, call: RequestContext, body: bytes, answer: StoredAnswer
) -> tuple[bytes, bytes]:
    """The repetition of a batch, part by part: the same bytes, a new answer for an outdated one, or a refusal.

    A part that was refused before stays refused. A part that is refused now is judged again at the next repetition.
    """
    whole = replace(call, id=answer.id)
    parts, stored = [], []
    for number, (request, earlier) in enumerate(
        zip(_read_requests(body), _decode_parts(answer.body).answers, strict=True)
    ):
        current = to_store = bytes(earlier)
        if (part := _decode_part(to_store)).status == 200:
            again = _part_of(whole, score_id())
            try:
                service.quotas.take(call.by.name, call.limit, 0)
                service.prepare_answer(again, request)
                if service.is_outdated(again, bytes(part.answer)):
                    current = to_store = await _one(service, whole, again.id, request, None)
            except CreditError as error:
                current = await _refused(service, again, error)
        parts.append(current)
        stored.append(to_store)
        if number % PAUSE == PAUSE - 1:
            await asyncio.sleep(0)
    return _join(parts), _join(stored)


async def _one(
    service: ScoringService, batch_call: RequestContext, name: str, request: ScoreRequest, earlier: Entry | None
) -> bytes:
    """One subject's part of the answer under its own id: the answer, or the problem."""
    call = _part_of(batch_call, name)
    try:
        service.quotas.take(
            batch_call.by.name, batch_call.limit, 0
        )  # a bank that has used up its refusals is stopped within the batch
        if earlier is not None:
            try:
                return _answered_part(
                    await replace(service, ledger_writer=RecordedEntryWriter(earlier)).answer(call, request)
                )
            except DifferentAnswer:
                call.id = score_id()
        return _answered_part(await service.answer(call, request))
    except CreditError as error:
        return await _refused(service, call, error)


async def _refused(service: ScoringService, call: RequestContext, error: CreditError) -> bytes:
    name = await service.record_refusal(call, error)
    problem = {**error.problem(preferred(ACCEPTED.get())), "score_id": name}
    return json.dumps({"problem": problem, "status": error.status}, ensure_ascii=False).encode()


async def _answered_entries(service: ScoringService, call: RequestContext) -> Mapping[str, Entry]:
    """The entries, by id, of the parts that a process answered before it was killed."""
    if not isinstance(call, ResumedRequest):
        return {}
    entries = await asyncio.to_thread(lambda: list(service.journal.find(LookUp(batch=call.id))))
    return {entry.object: entry for entry in entries if entry.verb == ANSWERED and entry.by == call.by}


def _part_of(whole: RequestContext, name: str) -> RequestContext:
    details = {"bank": whole.by.name, "batch": whole.id}
    return RequestContext(name, whole.by, details, bucket=whole.bucket, recipient=whole.recipient)


def _answered_part(answer: bytes) -> bytes:
    return b'{"answer":' + answer + b',"status":200}'


def _join(parts: list[bytes]) -> bytes:
    return b'{"answers":[' + b",".join(parts) + b"]}"


def _read_requests(body: bytes) -> list[ScoreRequest]:
    try:
        requests = _decode(body).asks
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        requests = [
            ScoreRequest(each.uscc, each.purpose, each.mandate) for each in parse_body(BatchRequestSchema, body).asks
        ]
    if not 1 <= len(requests) <= MAX_REQUESTS:
        raise Malformed("batch.not-batch", asks_count=len(requests), limit=MAX_REQUESTS)
    return requests
