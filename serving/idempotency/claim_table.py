"""The rows of idempotency keys in the coordination database: claimed, answered, taken over and deleted.

A row belongs to a bank with a path, and a key. It contains the digest of the body, the id of the answer, the answer
once it exists, and the number of the process that answers; the number is null when no process does.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from credit.errors import Malformed
from serving.idempotency.keys import MOST_BYTES, PATIENCE, SECONDS
from serving.state.coordination_db import LARGE, CoordinationDb

Answer = tuple[str, bytes]  # its id and its bytes
_PRUNE_EVERY = 64  # claims between two deletions of old keys

_CLAIM = (
    "INSERT INTO {0} (bank, key, asked, at, id, owner) VALUES (?, ?, ?, ?, ?, ?) "
    "ON CONFLICT (bank, key) DO UPDATE SET asked = excluded.asked, at = excluded.at, "
    "id = CASE WHEN at <= ? THEN excluded.id ELSE id END, owner = excluded.owner, body = NULL "
    "WHERE at <= ? OR (body IS NULL AND owner IS NULL AND at <= ? AND asked = excluded.asked) RETURNING id"
)


class ClaimTable:
    """One table of idempotency keys; safe to use from several processes."""

    def __init__(
        self, database: CoordinationDb, clock: Callable[[], float], table: str, most: int, *, lasting: bool
    ) -> None:
        """`most` keys are kept per bank and path. With `lasting`, a claim is on the disk before it counts."""
        self._database, self._clock, self._table, self._most = database, clock, table, most
        self._write_claim = database.keep if lasting else database.rows
        self._claims = 0

    def claim(self, bank: str, key: bytes, digest: bytes, request_id: str) -> str | None:
        """The id to answer under when this call may answer; None when another one has claimed or answered the key.

        The id is `request_id`, or the one of an earlier request that was interrupted.
        """
        now = self._clock()
        self._claims += 1
        if self._claims % _PRUNE_EVERY == 0:
            self.prune(bank)
        owner, expired, abandoned = self._database.liveness.me, now - SECONDS, now - PATIENCE
        sql = _CLAIM.format(self._table)
        rows = self._write_claim(sql, bank, key, digest, now, request_id, owner, expired, expired, abandoned)
        return str(rows[0][0]) if rows else None

    def take_over(self, bank: str, key: bytes) -> str | None:
        """The id under which a process began that has ended since; of several that see it, one process gets it."""
        sql = "SELECT owner FROM {0} WHERE bank = ? AND key = ? AND body IS NULL"
        begun = self._run(sql, bank, key)
        if not begun or begun[0][0] is None or self._database.liveness.lives(begun[0][0]):
            return None
        sql = "UPDATE {0} SET owner = ?, at = ? WHERE bank = ? AND key = ? AND owner = ? AND body IS NULL RETURNING id"
        rows = self._run(sql, self._database.liveness.me, self._clock(), bank, key, begun[0][0])
        return str(rows[0][0]) if rows else None

    def answer(self, bank: str, key: bytes, digest: bytes) -> Answer | None:
        """The stored answer, if there is one. Raises Malformed when the key belongs to a request with another body."""
        rows = self._run("SELECT asked, id, body FROM {0} WHERE bank = ? AND key = ?", bank, key)
        if not rows:  # the first request failed meanwhile
            return None
        if rows[0][0] != digest:
            raise Malformed("idempotency-store.idempotency-key-used-for-another")
        return None if rows[0][2] is None else (str(rows[0][1]), bytes(rows[0][2]))

    def store(self, bank: str, key: bytes, answer: Answer) -> None:
        """Store the answer of a claimed key."""
        self._run("UPDATE {0} SET id = ?, body = ? WHERE bank = ? AND key = ?", *answer, bank, key)
        if len(answer[1]) > LARGE:
            self._delete_oldest_large(bank)

    def release(self, bank: str, key: bytes, *, nothing_was_done: bool) -> None:
        """End a claim without an answer. Unless nothing was done, the next request continues under the same id."""
        if nothing_was_done:
            self._run("DELETE FROM {0} WHERE bank = ? AND key = ?", bank, key)
        else:
            sql = "UPDATE {0} SET owner = NULL, at = ? WHERE bank = ? AND key = ? AND body IS NULL"
            self._run(sql, self._clock() - PATIENCE, bank, key)

    def delete(self, bank: str, key: bytes, answer_id: str) -> None:
        """Delete the answer with this id; a later one under the same key stays."""
        self._run("DELETE FROM {0} WHERE bank = ? AND key = ? AND id = ?", bank, key, answer_id)

    def amend(self, bank: str, key: bytes, answer_id: str, body: bytes) -> None:
        """Replace the bytes of the answer with this id."""
        sql = "UPDATE {0} SET body = ? WHERE bank = ? AND key = ? AND id = ? AND body IS NOT NULL"
        self._run(sql, body, bank, key, answer_id)

    def prune(self, bank: str | None = None) -> None:
        """Delete what is too old; or of a bank the oldest beyond the limit, so that it displaces only its own keys."""
        if bank is None:
            self._run("DELETE FROM {0} WHERE at <= ?", self._clock() - SECONDS)
            return
        oldest = "SELECT at FROM {0} WHERE bank = ? ORDER BY at DESC LIMIT 1 OFFSET ?"
        self._run(f"DELETE FROM {{0}} WHERE bank = ? AND at <= ({oldest})", bank, bank, self._most)

    def _delete_oldest_large(self, bank: str) -> None:
        """Delete the oldest of the large answers beyond MOST_BYTES."""
        size = "rowid AS it, sum(length(body)) OVER (ORDER BY rowid DESC) AS size"
        large = f"SELECT {size} FROM {{0}} WHERE bank = ? AND length(body) > {LARGE}"
        self._run(f"DELETE FROM {{0}} WHERE rowid IN (SELECT it FROM ({large}) WHERE size > ?)", bank, MOST_BYTES)

    def _run(self, sql: str, *values: object) -> list[Any]:
        return self._database.rows(sql.format(self._table), *values)
