"""Recovery of an answer that is in the ledger but was never sent: its process ended before it could store or send it.

A client that repeats the request under the same idempotency key gets that very answer: it is built again, under its
own entry. When it cannot be built again (another snapshot, another last day, a lost salt), the request is answered as
a new one.

A resource that lasts longer than an answer is found by its id, which is derived from the request's id
(`serving.core.request.resource_id`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import TypeVar

from credit.errors import Lapsed
from credit.ledger.entry import Act, Entry
from serving.audit.group_commit import GroupCommitWriter
from serving.core.request import RequestContext, ResumedRequest
from serving.core.service import ScoringService
from serving.idempotency.stored_answer import Receipt, StoredAnswer

Handler = Callable[[ScoringService, RequestContext, bytes], Awaitable[bytes]]
Value = TypeVar("Value")
Repeated = tuple[bytes, bytes]  # the answer to send now, and the answer to store for later repetitions
RepeatHandler = Callable[[ScoringService, RequestContext, bytes, StoredAnswer], Awaitable[Repeated | None]]


class DifferentAnswer(Exception):
    """The answer that would be given now differs from the recorded one."""


class RecordedEntryWriter(GroupCommitWriter):
    """Replaces the ledger's writer: returns the entry that exists already, for the answer it belongs to only."""

    def __init__(self, entry: Entry) -> None:
        """Starts no thread and opens no file: nothing is written."""
        self._entry = entry

    async def record_and_make(self, act: Act, make: Callable[[Entry], Value]) -> Value:
        """What `make` makes of the existing entry. Raises DifferentAnswer."""
        entry, (verb, object_, by, details) = self._entry, act
        recorded = (entry.verb, entry.object, entry.by, entry.details.get("digest"))
        if (verb, object_, by, details.get("digest")) != recorded:
            raise DifferentAnswer
        return make(entry)


class ReceiptWriter(GroupCommitWriter):
    """Replaces the ledger's writer for an answer that was given before: accepts only the digest of its receipt."""

    def __init__(self, receipt: Receipt) -> None:
        """`receipt` is that of the earlier answer."""
        self._receipt = receipt

    async def record_and_make(self, act: Act, make: Callable[[Entry], Value]) -> Value:
        """What `make` makes of the entry that the receipt describes. Raises DifferentAnswer."""
        receipt, (verb, object_, by, details) = self._receipt, act
        if details.get("digest") != receipt.digest:
            raise DifferentAnswer
        return make(Entry(receipt.seq, datetime.now(UTC), by, verb, object_, details, "", receipt.entry))


def resume_request(call: RequestContext, request_id: str, salt: str | None = None) -> ResumedRequest:
    """The request under an earlier id; both share one `details`, so what is learnt of one is known of the other."""
    return ResumedRequest(
        request_id, call.by, call.details, call.limit, call.bucket, recipient=call.recipient, salt=salt
    )


async def recover_answer(
    service: ScoringService, call: RequestContext, body: bytes, handle: Handler
) -> tuple[bytes | None, bool]:
    """The answer that was recorded under the request's id (None when there is none), and whether the id is unused.

    Raises whatever `handle` does: a mandate that was revoked since then allows nothing.
    """
    entries = await asyncio.to_thread(service.journal.about, call.id)
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
    entries = await asyncio.to_thread(service.journal.about, object_)
    return next((entry for entry in entries if entry.verb == verb and entry.by == call.by), None)


async def repeat_unchanged(
    service: ScoringService, call: RequestContext, body: bytes, stored: StoredAnswer
) -> Repeated:
    """Repeat an answer that contains nothing about a subject, whatever has changed since."""
    return stored.body, stored.body


def make_again(handle: Handler) -> RepeatHandler:
    """Make an answer again from its entry, from the snapshot that it came from; None where that cannot be done.

    It is judged again, so a mandate that was revoked allows nothing, and what must no longer be used (a record that
    ended, a subject that is evaluated again) is answered as a new request. What is made has the digest of the entry, so
    it is the same to the byte. Raises as `handle` does.
    """

    async def repeat(
        service: ScoringService, call: RequestContext, body: bytes, stored: StoredAnswer
    ) -> Repeated | None:
        receipt = stored.receipt
        assert receipt is not None  # the product keeps receipts
        again = resume_request(call, stored.id, receipt.salt)
        pinned = await service.snapshots.pinned(receipt.model, receipt.version, receipt.snapshot)
        if pinned is None:
            return None
        was_replaced = pinned is not service.snapshots
        service = replace(service, ledger_writer=ReceiptWriter(receipt), snapshots=pinned)
        try:
            made = await handle(service, again, body)
        except DifferentAnswer:
            return None
        except Lapsed:  # the snapshot of then may not answer any more; perhaps the one of now may
            if was_replaced:
                return None
            raise
        return made, made

    return repeat
