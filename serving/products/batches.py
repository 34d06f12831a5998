"""A batch: up to a thousand subjects in one request, each judged by itself, with an id and an entry of its own."""

from __future__ import annotations

import asyncio
import json

import msgspec

from credit.errors import CreditError, Malformed
from serving.answers.forms import Ask, explain
from serving.answers.forms import AskedBatch as Form
from serving.calls import Call, Desk
from serving.languages import ACCEPTED, in_language, preferred

MOST, PAUSE = 1000, 20  # asks in a batch; after how many the others get a turn


class Asks(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """What `AskedBatch` declares, as it is read."""

    asks: list[Ask]


_decode = msgspec.json.Decoder(Asks).decode


async def batch(desk: Desk, call: Call, body: bytes) -> bytes:
    """`{"answers":[{"status":200,"answer":…} or {"status":403,"problem":…}, …]}` in the order asked.

    Raises Malformed for a body that cannot be read, TooMany when the bank has not so many calls left.
    """
    asks = _read(body)
    desk.quotas.take(call.by.name, call.limit, len(asks) - 1)  # the first was counted at the door
    told: list[asyncio.Task[bytes]] = []
    for number, asked in enumerate(asks):
        told.append(asyncio.create_task(_one(desk, call, asked)))
        if number % PAUSE == PAUSE - 1:
            await asyncio.sleep(0)
    return b'{"answers":[' + b",".join(await asyncio.gather(*told)) + b"]}"


async def _one(desk: Desk, whole: Call, asked: Ask) -> bytes:
    """One subject's part of the answer: what is said of it, or its problem."""
    call = Call(by=whole.by, because={"bank": whole.by.name, "batch": whole.id}, bucket=whole.bucket)
    try:
        desk.quotas.take(whole.by.name, whole.limit, 0)  # whoever ran out of refusals on the way is stopped on the way
        return b'{"answer":' + await desk.answer(call, asked) + b',"status":200}'
    except CreditError as error:
        await desk.refuse(call, error)
        problem = in_language({**error.problem(), "score_id": call.id}, error.slug, preferred(ACCEPTED.get()))
        return json.dumps({"problem": problem, "status": error.status}, ensure_ascii=False).encode()


def _read(body: bytes) -> list[Ask]:
    try:
        asks = _decode(body).asks
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        asks = [Ask(one.uscc, one.purpose, one.mandate) for one in explain(Form, body).asks]
    if not 1 <= len(asks) <= MOST:
        raise Malformed("Not a batch", why=f"it holds {len(asks)} asks", remedy=f"Send 1 to {MOST}")
    return asks
