"""The rows of idempotency keys in the store: claimed, answered, taken over and deleted.

A row belongs to a bank with a path, and a key. It contains the digest of the body, the id of the answer, the answer
once it exists, and the number of the process that answers; the number is null when no process does.

The requests of one turn of the event loop are claimed together, and with them the answers of the last turn are stored:
in one transaction and two statements, however many they are.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import NamedTuple

from credit.errors import Malformed
from serving.idempotency.keys import MOST_BYTES, SECONDS
from serving.idempotency.stored_answer import StoredAnswer
from serving.store.store import Store, statement
from serving.store.transaction import Transaction

_PRUNE_EVERY = 64  # claims between two deletions of old keys
LARGE = 16_384  # bytes from which an answer counts towards the limit on large ones; an index has the same number
_FIELDS = "bank, key, asked, at, id, owner"


class KeyRow(NamedTuple):
    """The row of a key that another request has claimed before."""

    digest: bytes  # of the body
    at: float
    id: str
    owner: int | None  # the process that answers
    is_free: bool  # no process of the service answers under it, as far as the store knows
    answer: StoredAnswer | None


class _Claim(NamedTuple):
    """A request that waits for its row."""

    bank: str
    key: bytes
    digest: bytes
    id: str
    future: asyncio.Future[KeyRow | None]


class _Answered(NamedTuple):
    """An answer that waits to be stored, and what to call when it is, or is not."""

    bank: str
    key: bytes
    answer: StoredAnswer
    done: Callable[[BaseException | None], None]


class ClaimTable:
    """One table of idempotency keys; safe to use from several processes."""

    def __init__(self, store: Store, clock: Callable[[], float], table: str, most: int, *, lasting: bool) -> None:
        """`most` keys are kept per bank and path. With `lasting`, a claim is on the disk before it counts."""
        self._store, self._clock, self._table, self._most = store, clock, table, most
        self._lasting, self._count = lasting, 0
        self._claims: list[_Claim] = []
        self._answers: list[_Answered] = []
        self._flushing: set[asyncio.Task[None]] = set()
        self._is_planned = False

    @property
    def me(self) -> int:
        """The number of this process."""
        return self._store.me

    async def claim(self, bank: str, key: bytes, digest: bytes, request_id: str) -> KeyRow | None:
        """Claim a key for the answer with this id; the row when it was claimed before. Raises StoreUnavailable."""
        future: asyncio.Future[KeyRow | None] = asyncio.get_running_loop().create_future()
        self._claims.append(_Claim(bank, key, digest, request_id, future))
        self._plan()
        return await future

    def store(self, bank: str, key: bytes, answer: StoredAnswer, done: Callable[[BaseException | None], None]) -> None:
        """Store the answer of a claimed key soon, and call `done` with the fault, if any. Raises nothing."""
        self._answers.append(_Answered(bank, key, answer, done))
        self._plan()

    async def take_over(self, bank: str, key: bytes, row: KeyRow, digest: bytes, request_id: str) -> str | None:
        """The id to answer under when this process now has the row as it was; None when another one was quicker.

        The id stays, except where it is older than keys are kept.
        """
        now = self._clock()
        new_id = request_id if row.at <= now - SECONDS else row.id
        same = "owner IS NULL" if row.owner is None else "owner = ?"
        sql = (
            f"UPDATE {self._table} SET asked = ?, at = ?, id = ?, owner = ?, receipt = NULL, body = NULL "
            f"WHERE bank = ? AND key = ? AND id = ? AND at = ? AND {same} RETURNING id"
        )
        owner = () if row.owner is None else (row.owner,)
        act = statement(sql, digest, now, new_id, self._store.me, bank, key, row.id, row.at, *owner)
        return new_id if await self._store.apply(act, durable=self._lasting) else None

    async def release(self, bank: str, key: bytes, *, nothing_was_done: bool) -> None:
        """End a claim without an answer. Unless nothing was done, the next request continues under the same id."""
        own_row = "WHERE bank = ? AND key = ? AND owner = ? AND receipt IS NULL AND body IS NULL"
        what = f"DELETE FROM {self._table}" if nothing_was_done else f"UPDATE {self._table} SET owner = NULL"
        await self._store.apply(statement(f"{what} {own_row}", bank, key, self._store.me))

    async def delete(self, bank: str, key: bytes, answer_id: str) -> None:
        """Delete the answer with this id; a later one under the same key stays."""
        sql = f"DELETE FROM {self._table} WHERE bank = ? AND key = ? AND id = ?"
        await self._store.apply(statement(sql, bank, key, answer_id))

    async def amend(self, bank: str, key: bytes, answer_id: str, body: bytes) -> None:
        """Replace the bytes of the answer with this id."""
        sql = f"UPDATE {self._table} SET body = ? WHERE bank = ? AND key = ? AND id = ? AND body IS NOT NULL"
        await self._store.apply(statement(sql, body, bank, key, answer_id))

    async def prune(self) -> None:
        """Delete what is too old, also while no requests arrive."""
        await self._store.apply(statement(f"DELETE FROM {self._table} WHERE at <= ?", self._clock() - SECONDS))

    def _plan(self) -> None:
        """Write in the next turn of the loop: after the other requests of this turn."""
        if not self._is_planned:
            self._is_planned = True
            asyncio.get_running_loop().call_soon(self._flush)

    def _flush(self) -> None:
        claims, answers, self._claims, self._answers, self._is_planned = self._claims, self._answers, [], [], False
        task = asyncio.get_running_loop().create_task(self._write(claims, answers))
        self._flushing.add(task)
        task.add_done_callback(self._flushing.discard)

    async def _write(self, claims: list[_Claim], answers: list[_Answered]) -> None:
        now, me = self._clock(), self._store.me
        self._count += len(claims)
        banks = {each.bank for each in claims} if self._count >= _PRUNE_EVERY else set()
        self._count = 0 if banks else self._count

        def act(transaction: Transaction) -> list[KeyRow | None]:
            for each in answers:
                self._store_one(transaction, each)
            claimed = self._claim_all(transaction, claims, now, me)
            for bank in banks:
                self._prune(transaction, bank)
            return claimed

        fault: BaseException | None = None
        rows: list[KeyRow | None] = []
        try:
            rows = await self._store.apply(act, durable=self._lasting and bool(claims))
        except BaseException as error:
            fault = error
        for answered in answers:
            answered.done(fault)
        for number, claim in enumerate(claims):
            if claim.future.done():  # the request was given up; its row is this process's, and free
                continue
            if fault is not None:
                claim.future.set_exception(fault)
            else:
                claim.future.set_result(rows[number])

    def _store_one(self, transaction: Transaction, answered: _Answered) -> None:
        sql = f"UPDATE {self._table} SET id = ?, receipt = ?, body = ? WHERE bank = ? AND key = ?"
        transaction.rows(sql, *answered.answer.columns(), answered.bank, answered.key)
        if answered.answer.receipt is None and len(answered.answer.body) > LARGE:
            self._delete_oldest_large(transaction, answered.bank)

    def _claim_all(self, transaction: Transaction, claims: list[_Claim], now: float, me: int) -> list[KeyRow | None]:
        """Each claim's row, or None where this process claimed it now."""
        if not claims:
            return []
        first: dict[tuple[str, bytes], _Claim] = {}
        for each in claims:  # of two requests with one key in one turn, the second finds what the first has claimed
            first.setdefault((each.bank, each.key), each)
        values = [value for each in first.values() for value in (each.bank, each.key, each.digest, now, each.id, me)]
        marks = ", ".join(["(?, ?, ?, ?, ?, ?)"] * len(first))
        sql = f"INSERT INTO {self._table} ({_FIELDS}) VALUES {marks} ON CONFLICT (bank, key) DO NOTHING"
        if transaction.count(sql, *values) == len(claims):
            return [None] * len(claims)
        return [self._find(transaction, each, now, first[each.bank, each.key] is each) for each in claims]

    def _find(self, transaction: Transaction, claim: _Claim, now: float, is_first: bool) -> KeyRow | None:
        """The row of a claim, or None when it is the one that was inserted now."""
        sql = f"SELECT asked, at, id, owner, receipt, body FROM {self._table} WHERE bank = ? AND key = ?"
        ((digest, at, name, owner, receipt, body),) = transaction.rows(sql, claim.bank, claim.key)
        answer = StoredAnswer.read(name, receipt, body)
        if is_first and (name, at, owner, answer) == (claim.id, now, self._store.me, None):
            return None
        is_free = answer is None and (owner is None or not transaction.lives(owner))
        return KeyRow(bytes(digest), at, name, owner, is_free, answer)

    def _prune(self, transaction: Transaction, bank: str) -> None:
        """Delete the oldest rows of a bank beyond the limit, so that it displaces only its own keys."""
        oldest = f"SELECT at FROM {self._table} WHERE bank = ? ORDER BY at DESC LIMIT 1 OFFSET ?"
        transaction.rows(f"DELETE FROM {self._table} WHERE bank = ? AND at <= ({oldest})", bank, bank, self._most)

    def _delete_oldest_large(self, transaction: Transaction, bank: str) -> None:
        """Delete the oldest of the large answers beyond MOST_BYTES."""
        size = "key, sum(length(body)) OVER (ORDER BY at DESC, key) AS size"
        large = f"SELECT {size} FROM {self._table} WHERE bank = ? AND length(body) > {LARGE}"
        oldest = f"SELECT key FROM ({large}) AS large WHERE size > ?"
        transaction.rows(f"DELETE FROM {self._table} WHERE bank = ? AND key IN ({oldest})", bank, bank, MOST_BYTES)


def require_same_body(row: KeyRow, digest: bytes) -> None:
    """Raise Malformed when a key belongs to a request with another body."""
    if row.digest != digest:
        raise Malformed("idempotency-store.idempotency-key-used-for-another")
