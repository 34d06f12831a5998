"""Idempotency keys (draft-ietf-httpapi-idempotency-key-header): a key and a body get one answer, the same to the byte.

All processes of the service share the answers for a day, with a limit per bank and path on their number and on the
bytes of large ones. A key with another body is refused. Each repetition is checked again: a mandate that was revoked
meanwhile allows nothing, and the repetition has its own ledger entry.

The id of the future answer is stored before anything is done. When a process is killed before it could store the
answer, the id remains, and the client's next request continues under it: so what the first one recorded can be found
and sent. A resource that lasts longer than an answer (a job, a watch, an objection) is named after that id, so it is
not created twice; such an id is on the disk before anything is created.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial

from credit.errors import CreditError, Lapsed, Malformed
from serving.idempotency.claim_table import Answer, ClaimTable
from serving.idempotency.keys import MOST, MOST_LASTING, PATIENCE, PAUSE, digest_of, is_key
from serving.state.coordination_db import ANSWERED, CoordinationDb

_Act = Callable[[str], Awaitable[Answer]]  # under an id: the request's, or that of an interrupted one


class IdempotencyStore:
    """Answers by bank and key. A `bank` is the bank's name and the path, separated by a space."""

    def __init__(
        self, database: CoordinationDb | None = None, clock: Callable[[], float] = time.time, *,
        table: str = ANSWERED, lasting: bool = False,
    ) -> None:  # fmt: skip
        """Without a `database`, use one of this process alone. With `lasting`, ids are on the disk before any act."""
        self._clock = clock
        most = MOST_LASTING if lasting else MOST
        self.table = ClaimTable(database or CoordinationDb(), clock, table, most, lasting=lasting)
        self.under_way: dict[tuple[str, bytes], asyncio.Future[Answer]] = {}  # of this process

    async def once(self, bank: str, key: bytes, body: bytes, request_id: str, act: _Act) -> tuple[str, bytes, bool]:
        """The id and the bytes of the answer, and whether it was given before.

        `request_id` is the id to answer under. Two concurrent requests with one key are one act. A refusal is not
        stored, so that its cause can be removed. Raises Malformed for an invalid key or another body, Lapsed when
        another process still answers after PATIENCE seconds, and whatever `act` raises.
        """
        if not is_key(key):
            raise Malformed("idempotency-store.not-idempotency-key")
        digest, deadline = await digest_of(body), self._clock() + PATIENCE
        while (claimed_id := self.table.claim(bank, key, digest, request_id)) is None:
            stored = self.table.answer(bank, key, digest)
            if stored is not None:
                return (*stored, True)
            pending = self.under_way.get((bank, key))
            if pending is not None:
                with suppress(ClaimAbandoned):
                    return (*await asyncio.shield(pending), True)
                continue
            claimed_id = self.table.take_over(bank, key)
            if claimed_id is not None:
                break
            if self._clock() > deadline:
                raise Lapsed("idempotency-store.same-request-still-under-way")
            await asyncio.sleep(PAUSE)  # another process is answering
        is_first = claimed_id == request_id
        return (*await self._act(bank, key, partial(act, claimed_id), is_first=is_first), False)

    def begin(self, bank: str, key: bytes, body: bytes, request_id: str) -> ActiveClaim | None:
        """A claim to answer under `request_id` at once; None, with nothing changed, unless the key is valid and new."""
        if not is_key(key):
            return None
        claimed_id = self.table.claim(bank, key, hashlib.sha256(body).digest(), request_id)
        if claimed_id == request_id:
            return ActiveClaim(self, bank, key)
        if claimed_id is not None:  # of an interrupted request: left for a caller that can recover its result
            self.table.release(bank, key, nothing_was_done=False)
        return None

    def forget(self, bank: str, key: bytes, answer_id: str) -> None:
        """Delete the answer with this id; a later one under the same key stays."""
        self.table.delete(bank, key, answer_id)

    def amend(self, bank: str, key: bytes, answer_id: str, body: bytes) -> None:
        """Replace the bytes of the answer with this id."""
        self.table.amend(bank, key, answer_id, body)

    def prune(self) -> None:
        """Delete all answers that are too old."""
        self.table.prune()

    async def _act(self, bank: str, key: bytes, act: Callable[[], Awaitable[Answer]], *, is_first: bool) -> Answer:
        claim = ActiveClaim(self, bank, key)
        try:
            answer = await act()
            claim.end(answer)
        except BaseException as error:
            claim.fail(error, nothing_was_done=is_first and _did_nothing(error))
            raise
        return answer


class ClaimAbandoned(Exception):
    """The request that held a key has ended without an answer, and its result is unknown."""


class ActiveClaim:
    """A key that this process is answering; other requests with it wait for the result. It must be ended or failed."""

    def __init__(self, store: IdempotencyStore, bank: str, key: bytes) -> None:
        """Make other requests of this process with the same key wait."""
        self._store, self._bank, self._key = store, bank, key
        self._future = store.under_way[bank, key] = asyncio.get_running_loop().create_future()

    def end(self, answer: Answer) -> None:
        """Store the answer for a day. Raises sqlite3.Error; the claim must be failed then."""
        self._store.table.store(self._bank, self._key, answer)
        del self._store.under_way[self._bank, self._key]
        self._future.set_result(answer)

    def leave(self, *, nothing_was_done: bool) -> None:
        """Give the key up, because the request is answered in another way; waiting requests try again."""
        self.fail(ClaimAbandoned(), nothing_was_done=nothing_was_done)

    def fail(self, error: BaseException, *, nothing_was_done: bool) -> None:
        """End without an answer. Unless nothing was done, the next request continues under the same id."""
        del self._store.under_way[self._bank, self._key]
        self._future.set_exception(error)
        self._future.exception()  # marks it as retrieved: that no request waits for it is not a fault
        self._store.table.release(self._bank, self._key, nothing_was_done=nothing_was_done)


def _did_nothing(error: BaseException) -> bool:
    """Whether an act that raised `error` has certainly done nothing; a fault of ours or a cancellation may have."""
    return isinstance(error, CreditError) and (error.status < 500 or isinstance(error, Lapsed))
