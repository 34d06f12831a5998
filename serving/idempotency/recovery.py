"""An answer that is in the ledger and that nobody got: its process was killed before it could remember or send it.

Whoever asks again under the same idempotency key gets that very answer, made again, under its own entry. When it cannot
be made again (another snapshot, another last day, a salt that is lost), the call is answered as a new one.

What lasts longer than an answer is found by its name, which comes from the call's id (`serving.core.service.named`).
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from credit.actor import Actor
from credit.entry import Entry
from serving.audit.group_commit import Recorder
from serving.core.service import Call, Desk, Resumed

Handle = Callable[[Desk, Call, bytes], Awaitable[bytes]]
Again = Callable[[Desk, Call, bytes, str, bytes], Awaitable[tuple[bytes, bytes] | None]]


class Another(Exception):
    """What would be answered now is another answer."""


class Given(Recorder):
    """Stands where the ledger's writer does: it gives the entry that is there, to the answer it is of alone."""

    def __init__(self, entry: Entry) -> None:
        """No thread and no file: nothing is written."""
        self._entry = entry

    async def record(self, verb: str, thing: str, *, by: Actor, details: Mapping[str, Any]) -> Entry:
        """The entry. Raises Another."""
        held = self._entry
        if (verb, thing, by, details.get("digest")) != (held.verb, held.object, held.by, held.details.get("digest")):
            raise Another
        return held


class Same(Recorder):
    """The same for an answer that is there: whoever comes to another digest is told Another."""

    def __init__(self, receipt: Mapping[str, Any]) -> None:
        """The receipt of the answer."""
        self._receipt = receipt

    async def record(self, verb: str, thing: str, *, by: Actor, details: Mapping[str, Any]) -> Entry:
        """The entry as the receipt tells it. Raises Another."""
        told = self._receipt
        if details.get("digest") != told["digest"]:
            raise Another
        return Entry(told["seq"], datetime.now(UTC), by, verb, thing, details, "", told["entry"])


def under(call: Call, name: str, salt: str | None = None) -> Resumed:
    """The call under an id of before; what is learnt of it is learnt of the call."""
    return Resumed(name, call.by, call.details, call.limit, call.bucket, salt)


async def resume(desk: Desk, call: Call, body: bytes, handle: Handle) -> tuple[bytes | None, bool]:
    """The answer that was recorded under the call's id, None when there is none, and whether the id is still free.

    Raises whatever `handle` does: a mandate that was taken back meanwhile opens nothing.
    """
    entries = await asyncio.to_thread(desk.journal.lines_about, call.id)
    given = next((entry for entry in entries if "digest" in entry.details), None)
    if given is None:
        return None, not entries
    try:
        return await handle(replace(desk, recorder=Given(given)), call, body), False
    except Another:
        return None, False


async def left(desk: Desk, call: Call, verb: str, thing: str) -> Entry | None:
    """The entry that the call before this one left of what it made, if this one is `Resumed` and there is one."""
    if not isinstance(call, Resumed):
        return None
    entries = await asyncio.to_thread(desk.journal.lines_about, thing)
    return next((entry for entry in entries if entry.verb == verb and entry.by == call.by), None)


async def as_it_was(desk: Desk, call: Call, body: bytes, first: str, said: bytes) -> tuple[bytes, bytes]:
    """Give again, whatever happened since, what says nothing of a subject."""
    return said, said


def if_allowed(check: Callable[[Desk, Call, bytes], object]) -> Again:
    """Give an answer again when the call would be allowed now, and what it rests on is still to be used."""

    async def again(desk: Desk, call: Call, body: bytes, first: str, said: bytes) -> tuple[bytes, bytes] | None:
        check(desk, call, body)
        return None if desk.is_outlived(call, said) else (said, said)

    return again


def if_same(handle: Handle) -> Again:
    """Give an answer about records again when today it would be the same, to the byte: none that is gone is shown."""

    async def again(desk: Desk, call: Call, body: bytes, first: str, said: bytes) -> tuple[bytes, bytes] | None:
        told = json.loads(said)
        desk = replace(desk, recorder=Same(told["receipt"]))
        try:
            return (await handle(desk, under(call, first, told["salt"]), body), said)
        except Another:
            return None

    return again
