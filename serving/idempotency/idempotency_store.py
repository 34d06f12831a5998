"""Idempotency keys (draft-ietf-httpapi-idempotency-key-header): a key and a body get one answer, the same to the byte.

Remembered by all the service's processes for a day, of a bank and path at most so many, and so many bytes of large
ones; a key with another body is refused. Whoever asks again is looked at again: a mandate revoked meanwhile opens
nothing, and the repetition has its own entry.

The id of the answer to be is remembered before anything is done. A process that is killed before it could remember the
answer leaves it, and whoever asks again acts under that id: so what the dead one had recorded can be found and told.
What lasts longer than an answer (a job, a watch, an objection) is named after that id, so it is not made twice; such an
id is on the disk before anything is made.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from typing import Any

from credit.errors import CreditError, Lapsed, Malformed
from serving.state.coordination_db import ANSWERED, LARGE, CoordinationDb

MOST, MOST_LASTING, SECONDS = 16_384, 131_072, 24 * 3600  # kept of a bank and path, and for how long
MOST_BYTES = 64 << 20  # of large answers of a bank to one product: beyond it the oldest are forgotten
PATIENCE, PAUSE = 30.0, 0.005  # seconds for which another process is waited for, and between two looks at it
_PRUNE = 64  # keys between two looks at what is too old
_IN_A_THREAD = 1 << 20  # bytes from which a body is digested off the event loop
_KEY = re.compile(rb"[\x21-\x7e]{1,128}")
_Told = tuple[str, bytes]
_Act = Callable[[str], Awaitable[_Told]]  # under an id: the caller's, or that of one who died with it


class IdempotencyStore:
    """Answers by bank and key."""

    def __init__(
        self, shared: CoordinationDb | None = None, clock: Callable[[], float] = time.time, *, table: str = ANSWERED,
        lasting: bool = False,
    ) -> None:  # fmt: skip
        """Without `shared`, this process's own. What is `lasting` has its id on the disk before it is made."""
        self._shared, self._clock, self._table = shared or CoordinationDb(), clock, table
        self._begin, self._most = (self._shared.keep, MOST_LASTING) if lasting else (self._shared.rows, MOST)
        self._under_way: dict[tuple[str, bytes], asyncio.Future[_Told]] = {}
        self._claims = 0

    async def once(self, bank: str, key: bytes, body: bytes, name: str, act: _Act) -> tuple[str, bytes, bool]:
        """Id and bytes of the answer, and whether they were given before. Raises Malformed, and whatever `act` raises.

        `name` is the id to answer under. Two at once with one key are one act; a refusal is not remembered, so that
        its cause can be mended. Raises Lapsed when another process is still at it after PATIENCE.
        """
        if not _KEY.fullmatch(key):
            raise Malformed("idempotency-store.not-idempotency-key")
        asked, until = await _digest(body), self._clock() + PATIENCE
        while (under := self._claim(bank, key, asked, name)) is None:
            told = self._told(bank, key, asked)
            if told is not None:
                return (*told, True)
            mine = self._under_way.get((bank, key))
            if mine is not None:
                with suppress(ClaimAbandoned):
                    return (*await asyncio.shield(mine), True)
                continue
            under = self._inherit(bank, key)
            if under is not None:
                break
            if self._clock() > until:
                raise Lapsed("idempotency-store.same-request-still-under-way")
            await asyncio.sleep(PAUSE)  # another process is at it
        return (*await self._act(bank, key, partial(act, under), is_first=under == name), False)

    def begin(self, bank: str, key: bytes, body: bytes, name: str) -> ActiveClaim | None:
        """To act under `name`, at once; None, with nothing changed, unless the key is in order and nobody's yet."""
        if not _KEY.fullmatch(key):
            return None
        under = self._claim(bank, key, hashlib.sha256(body).digest(), name)
        if under == name:
            return ActiveClaim(self, bank, key)
        if under is not None:  # one that was left behind, for whoever can look what became of it
            self._end(bank, key, nothing_was_done=False)
        return None

    def forget(self, bank: str, key: bytes, first: str) -> None:
        """Forget the answer with the id `first`; one that was given since under the same key stays."""
        self._run("DELETE FROM {0} WHERE bank = ? AND key = ? AND id = ?", bank, key, first)

    def amend(self, bank: str, key: bytes, first: str, told: bytes) -> None:
        """Remember `told` as the answer with the id `first` from now on."""
        sql = "UPDATE {0} SET body = ? WHERE bank = ? AND key = ? AND id = ? AND body IS NOT NULL"
        self._run(sql, told, bank, key, first)

    def prune(self, bank: str | None = None) -> None:
        """Forget what is too old; of a bank the oldest of too much: it pushes out nobody's but its own."""
        if bank is None:
            self._run("DELETE FROM {0} WHERE at <= ?", self._clock() - SECONDS)
            return
        oldest = "SELECT at FROM {0} WHERE bank = ? ORDER BY at DESC LIMIT 1 OFFSET ?"
        self._run(f"DELETE FROM {{0}} WHERE bank = ? AND at <= ({oldest})", bank, bank, self._most)

    async def _act(self, bank: str, key: bytes, act: Callable[[], Awaitable[_Told]], *, is_first: bool) -> _Told:
        doing = ActiveClaim(self, bank, key)
        try:
            told = await act()
            doing.end(told)
        except BaseException as error:
            doing.fail(error, nothing_was_done=is_first and _is_refusal(error))
            raise
        return told

    def _remember(self, bank: str, key: bytes, told: _Told) -> None:
        self._run("UPDATE {0} SET id = ?, body = ? WHERE bank = ? AND key = ?", *told, bank, key)
        if len(told[1]) > LARGE:
            self._bound(bank)

    def _end(self, bank: str, key: bytes, *, nothing_was_done: bool) -> None:
        """Nobody is at it any more. Unless nothing was done, whoever asks again acts under the same id, and at once."""
        if nothing_was_done:
            self._run("DELETE FROM {0} WHERE bank = ? AND key = ?", bank, key)
        else:
            sql = "UPDATE {0} SET owner = NULL, at = ? WHERE bank = ? AND key = ? AND body IS NULL"
            self._run(sql, self._clock() - PATIENCE, bank, key)

    def _claim(self, bank: str, key: bytes, asked: bytes, name: str) -> str | None:
        """The id to act under, when it is this call that acts: the first, or the first after one that is forgotten."""
        now = self._clock()
        self._claims += 1
        if self._claims % _PRUNE == 0:
            self.prune(bank)
        sql = (
            "INSERT INTO {0} (bank, key, asked, at, id, owner) VALUES (?, ?, ?, ?, ?, ?) "
            "ON CONFLICT (bank, key) DO UPDATE SET asked = excluded.asked, at = excluded.at, "
            "id = CASE WHEN at <= ? THEN excluded.id ELSE id END, owner = excluded.owner, body = NULL "
            "WHERE at <= ? OR (body IS NULL AND owner IS NULL AND at <= ? AND asked = excluded.asked) RETURNING id"
        )
        me, old, dead = self._shared.alive.me, now - SECONDS, now - PATIENCE
        found = self._begin(sql.format(self._table), bank, key, asked, now, name, me, old, old, dead)
        return str(found[0][0]) if found else None

    def _inherit(self, bank: str, key: bytes) -> str | None:
        """The id that a process had begun under which has died since; of those who see it, one gets it."""
        begun = self._run("SELECT owner FROM {0} WHERE bank = ? AND key = ? AND body IS NULL", bank, key)
        if not begun or begun[0][0] is None or self._shared.alive.lives(begun[0][0]):
            return None
        sql = "UPDATE {0} SET owner = ?, at = ? WHERE bank = ? AND key = ? AND owner = ? AND body IS NULL RETURNING id"
        found = self._run(sql, self._shared.alive.me, self._clock(), bank, key, begun[0][0])
        return str(found[0][0]) if found else None

    def _told(self, bank: str, key: bytes, asked: bytes) -> _Told | None:
        found = self._run("SELECT asked, id, body FROM {0} WHERE bank = ? AND key = ?", bank, key)
        if not found:  # the act failed meanwhile
            return None
        if found[0][0] != asked:
            raise Malformed("idempotency-store.idempotency-key-used-for-another")
        return None if found[0][2] is None else (str(found[0][1]), bytes(found[0][2]))

    def _bound(self, bank: str) -> None:
        """Forget the oldest of the large answers beyond MOST_BYTES."""
        size = "rowid AS it, sum(length(body)) OVER (ORDER BY rowid DESC) AS size"
        large = f"SELECT {size} FROM {{0}} WHERE bank = ? AND length(body) > {LARGE}"
        self._run(f"DELETE FROM {{0}} WHERE rowid IN (SELECT it FROM ({large}) WHERE size > ?)", bank, MOST_BYTES)

    def _run(self, sql: str, *values: object) -> list[Any]:
        return self._shared.rows(sql.format(self._table), *values)


class ClaimAbandoned(Exception):
    """Who was at it is no more, and nothing is known of what comes of it."""


class ActiveClaim:
    """A key that this process is at; who asks with it meanwhile waits for what comes of it."""

    def __init__(self, repeats: IdempotencyStore, bank: str, key: bytes) -> None:
        """It has to be ended, or to fail."""
        self._repeats, self._bank, self._key = repeats, bank, key
        self._future = repeats._under_way[bank, key] = asyncio.get_running_loop().create_future()

    def end(self, told: _Told) -> None:
        """The answer, remembered for a day. Raises what the database does: then it has to fail."""
        self._repeats._remember(self._bank, self._key, told)
        del self._repeats._under_way[self._bank, self._key]
        self._future.set_result(told)

    def leave(self, *, nothing_was_done: bool) -> None:
        """It is tried in another way: who waits here tries too."""
        self.fail(ClaimAbandoned(), nothing_was_done=nothing_was_done)

    def fail(self, error: BaseException, *, nothing_was_done: bool) -> None:
        """Nothing came of it. Unless nothing was done, whoever asks again acts under the same id."""
        del self._repeats._under_way[self._bank, self._key]
        self._future.set_exception(error)
        self._future.exception()  # told to whoever waits; if nobody does, that is no fault
        self._repeats._end(self._bank, self._key, nothing_was_done=nothing_was_done)


def _is_refusal(error: BaseException) -> bool:
    """Whether an act that ended so has surely done nothing: not so after a fault of ours, or when it was cut off."""
    return isinstance(error, CreditError) and (error.status < 500 or isinstance(error, Lapsed))


async def _digest(body: bytes) -> bytes:
    if len(body) < _IN_A_THREAD:
        return hashlib.sha256(body).digest()
    return (await asyncio.to_thread(hashlib.sha256, body)).digest()
