"""A batch: up to a thousand subjects in one request, each judged by itself, with an id and an entry of its own.

Under an idempotency key a repetition is judged part by part too: what may still be told is told as it was, to the byte.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import replace

import msgspec

from credit.entry import Entry
from credit.errors import CreditError, Malformed
from credit.messages import preferred
from serving.audit.identifiers import part_of, score_id
from serving.core.recovery import DifferentAnswer, RecordedEntryWriter
from serving.core.request import ANSWERED, RequestContext, ResumedRequest
from serving.core.service import ScoringService
from serving.i18n.languages import ACCEPTED
from serving.responses.request_schemas import BatchRequestSchema, ScoreRequest, parse_body

MAX_REQUESTS, PAUSE = 1000, 20  # asks in a batch; after how many the others get a turn


class BatchRequest(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """What `AskedBatch` declares, as it is read."""

    asks: list[ScoreRequest]


class AnsweredParts(msgspec.Struct, frozen=True):
    """What was answered, part by part, each as its bytes."""

    answers: list[msgspec.Raw]


class AnsweredPart(msgspec.Struct, frozen=True):
    """One of them: the answer's bytes, where it was no refusal."""

    status: int
    answer: msgspec.Raw = msgspec.Raw(b"")


_decode = msgspec.json.Decoder(BatchRequest).decode
_parts, _part = msgspec.json.Decoder(AnsweredParts).decode, msgspec.json.Decoder(AnsweredPart).decode


async def batch(service: ScoringService, call: RequestContext, body: bytes) -> bytes:
    """`{"answers":[{"status":200,"answer":…} or {"status":403,"problem":…}, …]}` in the order asked.

    Raises Malformed for a body that cannot be read, TooMany when the bank has not so many calls left.
    """
    asks, there = _read(body), await _left(service, call)
    service.quotas.take(
        call.by.name, call.limit, max(0, len(asks) - len(there) - 1)
    )  # the first was counted at the door
    told: list[asyncio.Task[bytes]] = []
    for number, asked in enumerate(asks):
        name = part_of(call.id, number)
        told.append(asyncio.create_task(_one(service, call, name, asked, there.get(name))))
        if number % PAUSE == PAUSE - 1:
            await asyncio.sleep(0)
    return _whole(await asyncio.gather(*told))


async def batch_again(
    service: ScoringService, call: RequestContext, body: bytes, first: str, said: bytes
) -> tuple[bytes, bytes]:
    """What is told again, part by part: as it was, anew where it rests on what is not to be used any more, or refused.

    A part that was refused before stays so; one that is refused now is judged again the next time.
    """
    whole = replace(call, id=first)
    told, kept = [], []
    for number, (asked, raw) in enumerate(zip(_read(body), _parts(said).answers, strict=True)):
        now = held = bytes(raw)
        if (part := _part(held)).status == 200:
            again = _part_of(whole, score_id())
            try:
                service.quotas.take(call.by.name, call.limit, 0)
                service.prepare_answer(again, asked)
                if service.is_outdated(again, bytes(part.answer)):
                    now = held = await _one(service, whole, again.id, asked, None)
            except CreditError as error:
                now = await _refused(service, again, error)
        told.append(now)
        kept.append(held)
        if number % PAUSE == PAUSE - 1:
            await asyncio.sleep(0)
    return _whole(told), _whole(kept)


async def _one(
    service: ScoringService, whole: RequestContext, name: str, asked: ScoreRequest, given: Entry | None
) -> bytes:
    """One subject's part of the answer under an id: what is said of it, or its problem."""
    call = _part_of(whole, name)
    try:
        service.quotas.take(
            whole.by.name, whole.limit, 0
        )  # whoever ran out of refusals on the way is stopped on the way
        if given is not None:
            try:
                return _good(await replace(service, ledger_writer=RecordedEntryWriter(given)).answer(call, asked))
            except DifferentAnswer:
                call.id = score_id()
        return _good(await service.answer(call, asked))
    except CreditError as error:
        return await _refused(service, call, error)


async def _refused(service: ScoringService, call: RequestContext, error: CreditError) -> bytes:
    name = await service.record_refusal(call, error)
    problem = {**error.problem(preferred(ACCEPTED.get())), "score_id": name}
    return json.dumps({"problem": problem, "status": error.status}, ensure_ascii=False).encode()


async def _left(service: ScoringService, call: RequestContext) -> Mapping[str, Entry]:
    """The entries, by id, of parts that a process had answered which was killed before it could tell."""
    if not isinstance(call, ResumedRequest):
        return {}
    entries = await asyncio.to_thread(service.journal.lines_about, call.id, part_of="batch")
    return {entry.object: entry for entry in entries if entry.verb == ANSWERED and entry.by == call.by}


def _part_of(whole: RequestContext, name: str) -> RequestContext:
    return RequestContext(name, whole.by, {"bank": whole.by.name, "batch": whole.id}, bucket=whole.bucket)


def _good(answer: bytes) -> bytes:
    return b'{"answer":' + answer + b',"status":200}'


def _whole(parts: list[bytes]) -> bytes:
    return b'{"answers":[' + b",".join(parts) + b"]}"


def _read(body: bytes) -> list[ScoreRequest]:
    try:
        asks = _decode(body).asks
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        asks = [ScoreRequest(one.uscc, one.purpose, one.mandate) for one in parse_body(BatchRequestSchema, body).asks]
    if not 1 <= len(asks) <= MAX_REQUESTS:
        raise Malformed("batch.not-batch", asks_count=len(asks), limit=MAX_REQUESTS)
    return asks
