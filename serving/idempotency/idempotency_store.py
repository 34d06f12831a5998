"""Idempotency keys (draft-ietf-httpapi-idempotency-key-header): a key and a body get one answer, the same to the byte.

All processes of the service share the answers for a day, with a limit per bank and path on their number and on the
bytes of large ones. A key with another body is refused. Each repetition is checked again: a mandate that was revoked
meanwhile allows nothing, and the repetition has its own ledger entry.

An answer that can be made again from its entry is stored as a few hundred bytes that say how, and not as its own.

The id of the future answer is stored before anything is done. When a process is killed before it could store the
answer, the id remains, and the client's next request continues under it: so what the first one recorded can be found
and sent. A resource that lasts longer than an answer (a job, a watch, an objection) is named after that id, so it is
not created twice; such an id is on the disk before anything is created.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from functools import partial

from credit.errors import CreditError, Lapsed, Malformed
from serving.idempotency.claim_table import ClaimTable, KeyRow, require_same_body
from serving.idempotency.keys import MOST, MOST_LASTING, PATIENCE, PAUSE, SECONDS, digest_of, is_key
from serving.idempotency.stored_answer import StoredAnswer
from serving.observability import log
from serving.store.store import Store, open_store

# Tables of idempotency keys: of answers, and of resources that last longer than an answer.
ANSWERED, LASTING = "answered", "made"
_Act = Callable[[str], Awaitable[StoredAnswer]]  # under an id: the request's, or that of an interrupted one


class IdempotencyStore:
    """Answers by bank and key. A `bank` is the bank's name and the path, separated by a space."""

    def __init__(
        self, store: Store | None = None, clock: Callable[[], float] = time.time, *,
        table: str = ANSWERED, lasting: bool = False,
    ) -> None:  # fmt: skip
        """Without a `store`, use one of this process alone. With `lasting`, ids are on the disk before any act."""
        self._clock = clock
        most = MOST_LASTING if lasting else MOST
        self.table = ClaimTable(store or open_store(), clock, table, most, lasting=lasting)
        # Of this process: what answers now, and what has answered and is not stored yet.
        self.under_way: dict[tuple[str, bytes], asyncio.Future[StoredAnswer]] = {}

    async def once(self, bank: str, key: bytes, body: bytes, request_id: str, act: _Act) -> tuple[StoredAnswer, bool]:
        """The answer, and whether it was given before.

        `request_id` is the id to answer under. Two concurrent requests with one key are one act. A refusal is not
        stored, so that its cause can be removed. Raises Malformed for an invalid key or another body, Lapsed when
        another process still answers after PATIENCE seconds, StoreUnavailable, and whatever `act` raises.
        """
        if not is_key(key):
            raise Malformed("idempotency-store.not-idempotency-key")
        digest, deadline = await digest_of(body), self._clock() + PATIENCE
        while (row := await self.table.claim(bank, key, digest, request_id)) is not None:
            if row.at > self._clock() - SECONDS:  # an older one is as good as none
                require_same_body(row, digest)
                if row.answer is not None:
                    return row.answer, True
            pending = self.under_way.get((bank, key))
            if pending is not None:
                return await asyncio.shield(pending), True
            claimed_id = await self._take_over(bank, key, row, digest, request_id)
            if claimed_id is not None:
                return await self._act(bank, key, partial(act, claimed_id), is_first=claimed_id == request_id), False
            if self._clock() > deadline:
                raise Lapsed("idempotency-store.same-request-still-under-way")
            await asyncio.sleep(PAUSE)  # another process is answering
        return await self._act(bank, key, partial(act, request_id), is_first=True), False

    async def forget(self, bank: str, key: bytes, answer_id: str) -> None:
        """Delete the answer with this id; a later one under the same key stays."""
        await self.table.delete(bank, key, answer_id)

    async def amend(self, bank: str, key: bytes, answer_id: str, body: bytes) -> None:
        """Replace the bytes of the answer with this id."""
        await self.table.amend(bank, key, answer_id, body)

    async def prune(self) -> None:
        """Delete all answers that are too old."""
        await self.table.prune()

    async def _take_over(self, bank: str, key: bytes, row: KeyRow, digest: bytes, request_id: str) -> str | None:
        """The id to answer under, when no process answers under the key any more and this one is the first to see it.

        A row of this process counts as well, as this process is not answering it.
        """
        is_old = row.at <= self._clock() - SECONDS
        if not is_old and not row.is_free and row.owner != self.table.me:
            return None
        return await self.table.take_over(bank, key, row, digest, request_id)

    async def _act(
        self, bank: str, key: bytes, act: Callable[[], Awaitable[StoredAnswer]], *, is_first: bool
    ) -> StoredAnswer:
        claim = ActiveClaim(self, bank, key)
        try:
            answer = await act()
        except BaseException as error:
            await claim.fail(error, nothing_was_done=is_first and _did_nothing(error))
            raise
        claim.end(answer)
        return answer


class ActiveClaim:
    """A key that this process is answering; other requests with it wait for the result. It must be ended or failed.

    Neither raises. A row that could not be changed is taken over by the next request with the key, as this process is
    not answering it.
    """

    def __init__(self, store: IdempotencyStore, bank: str, key: bytes) -> None:
        """Make other requests of this process with the same key wait."""
        self._store, self._bank, self._key = store, bank, key
        self._future = store.under_way[bank, key] = asyncio.get_running_loop().create_future()

    def end(self, answer: StoredAnswer) -> None:
        """Store the answer for a day; one that cannot be stored is found again by its id in the ledger."""
        self._future.set_result(answer)
        self._store.table.store(self._bank, self._key, answer, self._ended)

    async def fail(self, error: BaseException, *, nothing_was_done: bool) -> None:
        """End without an answer. Unless nothing was done, the next request continues under the same id."""
        self._future.set_exception(error)
        self._future.exception()  # marks it as retrieved: that no request waits for it is not a fault
        release = asyncio.ensure_future(self._release(nothing_was_done=nothing_was_done))
        if not isinstance(error, asyncio.CancelledError):  # who sends the request again finds the key free
            await asyncio.shield(release)

    async def _release(self, *, nothing_was_done: bool) -> None:
        fault: Exception | None = None
        try:
            await self._store.table.release(self._bank, self._key, nothing_was_done=nothing_was_done)
        except Exception as error:
            fault = error
        self._ended(fault)

    def _ended(self, fault: BaseException | None) -> None:
        if self._store.under_way.get((self._bank, self._key)) is self._future:
            del self._store.under_way[self._bank, self._key]
        if fault is not None:
            log.event("idempotency.not-stored", level=log.ERROR, error=type(fault).__name__)


def _did_nothing(error: BaseException) -> bool:
    """Whether an act that raised `error` has certainly done nothing; a fault of ours or a cancellation may have."""
    return isinstance(error, CreditError) and (error.status < 500 or isinstance(error, Lapsed))
