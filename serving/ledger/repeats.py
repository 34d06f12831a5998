"""Idempotency keys (draft-ietf-httpapi-idempotency-key-header): a key and a body get one answer, the same to the byte.

Remembered by all the service's processes for a day and for at most so many answers; a key with another body is refused.
Whoever asks again is looked at again: a mandate revoked meanwhile opens nothing, and the repetition has its own entry.

The id of the answer to be is remembered before anything is done. A process that is killed before it could remember the
answer leaves it, and whoever asks again acts under that id: so what the dead one had recorded can be found and told.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
import time
from collections.abc import Awaitable, Callable
from functools import partial

from credit.errors import Malformed
from serving.shared import Shared

MOST, SECONDS = 16_384, 24 * 3600
PATIENCE, PAUSE = 30.0, 0.005  # seconds: after which an act not ended has died with its process; between two looks
_PRUNE = 256  # keys between two looks at what is too old
_KEY = re.compile(rb"[\x21-\x7e]{1,128}")
_Told = tuple[str, bytes]
_Act = Callable[[str], Awaitable[_Told]]  # under an id: the caller's, or that of one who died with it


class Repeats:
    """Answers by bank and key."""

    def __init__(self, shared: Shared | None = None, clock: Callable[[], float] = time.time) -> None:
        """Without `shared`, this process's own."""
        self._shared, self._clock = shared or Shared(), clock
        self._under_way: dict[tuple[str, bytes], asyncio.Future[_Told]] = {}
        self._claims = 0

    async def once(self, bank: str, key: bytes, body: bytes, name: str, act: _Act) -> tuple[str, bytes, bool]:
        """Id and bytes of the answer, and whether they were given before. Raises Malformed, and whatever `act` raises.

        `name` is the id to answer under. Two at once with one key are one act; a refusal is not remembered, so that
        its cause can be mended.
        """
        if not _KEY.fullmatch(key):
            raise Malformed("Not an idempotency key", why="it is 1 to 128 visible ASCII characters")
        asked = hashlib.sha256(body).digest()
        while (under := self._claim(bank, key, asked, name)) is None:
            told = self._told(bank, key, asked)
            if told is not None:
                return (*told, True)
            mine = self._under_way.get((bank, key))
            if mine is not None:
                return (*await asyncio.shield(mine), True)
            under = self._inherit(bank, key)
            if under is not None:
                break
            await asyncio.sleep(PAUSE)  # another process is at it
        return (*await self._act(bank, key, partial(act, under)), False)

    def forget(self, bank: str, key: bytes, first: str) -> None:
        """Forget the answer with the id `first`; one that was given since under the same key stays."""
        self._shared.rows("DELETE FROM answered WHERE bank = ? AND key = ? AND id = ?", bank, key, first)

    async def _act(self, bank: str, key: bytes, act: Callable[[], Awaitable[_Told]]) -> _Told:
        future = self._under_way[bank, key] = asyncio.get_running_loop().create_future()
        end = partial(self._shared.rows, "DELETE FROM answered WHERE bank = ? AND key = ?", bank, key)
        try:
            told = await act()
            sql = "UPDATE answered SET id = ?, body = ? WHERE bank = ? AND key = ?"
            self._shared.rows(sql, *told, bank, key)
        except BaseException as error:
            end()
            future.set_exception(error)
            future.exception()  # told to whoever waits; if nobody does, that is no fault
            raise
        finally:
            del self._under_way[bank, key]
        future.set_result(told)
        return told

    def _claim(self, bank: str, key: bytes, asked: bytes, name: str) -> str | None:
        """The id to act under, when it is this call that acts: the first, or the first after one that is forgotten."""
        now = self._clock()
        self._claims += 1
        if self._claims % _PRUNE == 1:
            self._shared.rows("DELETE FROM answered WHERE at <= ?", now - SECONDS)
            keep = "SELECT max(rowid) FROM answered"
            self._shared.rows(f"DELETE FROM answered WHERE rowid <= ({keep}) - ?", MOST)
        sql = (
            "INSERT INTO answered (bank, key, asked, at, id, owner) VALUES (?, ?, ?, ?, ?, ?) "
            "ON CONFLICT (bank, key) DO UPDATE SET asked = excluded.asked, at = excluded.at, id = excluded.id, "
            "owner = excluded.owner, body = NULL WHERE at <= ? OR (body IS NULL AND at <= ?) RETURNING id"
        )
        me, old, dead = self._shared.alive.me, now - SECONDS, now - PATIENCE
        found = self._shared.rows(sql, bank, key, asked, now, name, me, old, dead)
        return str(found[0][0]) if found else None

    def _inherit(self, bank: str, key: bytes) -> str | None:
        """The id that a process had begun under which has died since; of those who see it, one gets it."""
        begun = self._shared.rows("SELECT owner FROM answered WHERE bank = ? AND key = ? AND body IS NULL", bank, key)
        if not begun or begun[0][0] is None or self._shared.alive.lives(begun[0][0]):
            return None
        sql = (
            "UPDATE answered SET owner = ?, at = ? WHERE bank = ? AND key = ? AND owner = ? AND body IS NULL "
            "RETURNING id"
        )
        found = self._shared.rows(sql, self._shared.alive.me, self._clock(), bank, key, begun[0][0])
        return str(found[0][0]) if found else None

    def _told(self, bank: str, key: bytes, asked: bytes) -> _Told | None:
        found = self._shared.rows("SELECT asked, id, body FROM answered WHERE bank = ? AND key = ?", bank, key)
        if not found:  # the act failed meanwhile
            return None
        if found[0][0] != asked:
            raise Malformed("This idempotency key was used for another request", remedy="Use a new key")
        return None if found[0][2] is None else (str(found[0][1]), bytes(found[0][2]))
