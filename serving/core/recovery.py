"""Recovery of an answer that is in the ledger but was never sent: its process ended before it could store or send it.

A client that repeats the request under the same idempotency key gets that very answer: it is built again, under its
own entry. When it cannot be built again (another snapshot, another last day, a lost salt), the request is answered as
a new one.

A resource that lasts longer than an answer is found by its id, which is derived from the request's id
(`serving.core.request.resource_id`).
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
from serving.audit.group_commit import GroupCommitWriter
from serving.core.request import RequestContext, ResumedRequest
from serving.core.service import ScoringService

Handler = Callable[[ScoringService, RequestContext, bytes], Awaitable[bytes]]
Repeated = tuple[bytes, bytes]  # the answer to send now, and the answer to store for later repetitions
RepeatHandler = Callable[[ScoringService, RequestContext, bytes, str, bytes], Awaitable[Repeated | None]]


class DifferentAnswer(Exception):
    """The answer that would be given now differs from the recorded one."""


class RecordedEntryWriter(GroupCommitWriter):
    """Replaces the ledger's writer: returns the entry that exists already, for the answer it belongs to only."""

    def __init__(self, entry: Entry) -> None:
        """Starts no thread and opens no file: nothing is written."""
        self._entry = entry

    async def record(self, verb: str, object_: str, *, by: Actor, details: Mapping[str, Any]) -> Entry:
        """The existing entry. Raises DifferentAnswer."""
        entry = self._entry
        recorded = (entry.verb, entry.object, entry.by, entry.details.get("digest"))
        if (verb, object_, by, details.get("digest")) != recorded:
            raise DifferentAnswer
        return entry


class ReceiptWriter(GroupCommitWriter):
    """Replaces the ledger's writer for a stored answer: accepts only the digest that its receipt states."""

    def __init__(self, receipt: Mapping[str, Any]) -> None:
        """`receipt` is that of the stored answer: digest, entry and seq."""
        self._receipt = receipt

    async def record(self, verb: str, object_: str, *, by: Actor, details: Mapping[str, Any]) -> Entry:
        """The entry that the receipt describes. Raises DifferentAnswer."""
        receipt = self._receipt
        if details.get("digest") != receipt["digest"]:
            raise DifferentAnswer
        return Entry(receipt["seq"], datetime.now(UTC), by, verb, object_, details, "", receipt["entry"])


def resume_request(call: RequestContext, request_id: str, salt: str | None = None) -> ResumedRequest:
    """The request under an earlier id; both share one `details`, so what is learnt of one is known of the other."""
    return ResumedRequest(request_id, call.by, call.details, call.limit, call.bucket, salt)


async def recover_answer(
    service: ScoringService, call: RequestContext, body: bytes, handle: Handler
) -> tuple[bytes | None, bool]:
    """The answer that was recorded under the request's id (None when there is none), and whether the id is unused.

    Raises whatever `handle` does: a mandate that was revoked since then allows nothing.
    """
    entries = await asyncio.to_thread(service.journal.lines_about, call.id)
    answered = next((entry for entry in entries if "digest" in entry.details), None)
    if answered is None:
        return None, not entries
    try:
        return await handle(replace(service, ledger_writer=RecordedEntryWriter(answered)), call, body), False
    except DifferentAnswer:
        return None, False


async def earlier_entry(service: ScoringService, call: RequestContext, verb: str, object_: str) -> Entry | None:
    """The entry that an interrupted request left of the resource it created, if this request is its continuation."""
    if not isinstance(call, ResumedRequest):
        return None
    entries = await asyncio.to_thread(service.journal.lines_about, object_)
    return next((entry for entry in entries if entry.verb == verb and entry.by == call.by), None)


async def repeat_unchanged(
    service: ScoringService, call: RequestContext, body: bytes, first_id: str, answer: bytes
) -> Repeated:
    """Repeat an answer that contains nothing about a subject, whatever has changed since."""
    return answer, answer


def repeat_if_allowed(check: Callable[[ScoringService, RequestContext, bytes], object]) -> RepeatHandler:
    """Repeat an answer when the request would be allowed now, and its data may still be used."""

    async def repeat(
        service: ScoringService, call: RequestContext, body: bytes, first_id: str, answer: bytes
    ) -> Repeated | None:
        check(service, call, body)
        return None if service.is_outdated(call, answer) else (answer, answer)

    return repeat


def repeat_if_same(handle: Handler) -> RepeatHandler:
    """Repeat an answer about records when it would be the same today, to the byte: a deleted record is never shown."""

    async def repeat(
        service: ScoringService, call: RequestContext, body: bytes, first_id: str, answer: bytes
    ) -> Repeated | None:
        stored = json.loads(answer)
        service = replace(service, ledger_writer=ReceiptWriter(stored["receipt"]))
        try:
            return (await handle(service, resume_request(call, first_id, stored["salt"]), body), answer)
        except DifferentAnswer:
            return None

    return repeat
