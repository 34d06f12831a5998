"""PostgreSQL under the store, by psycopg 3. This is the only file that imports it; it is an extra (`postgres`).

A process holds an advisory lock under its number while it lives, so that others know when it has ended: connect to the
server itself, or through a pooler that keeps a session for a connection.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from typing import Any, cast

from credit.errors import Malformed
from credit.messages import Text
from serving.store.transaction import Act, Rows, StoreUnavailable, Value

try:
    import psycopg
except ImportError as missing:
    raise Malformed("store.postgresql-needs-extra") from missing

PATIENCE = 5  # seconds for a connection, a lock, and a statement
READ_PATIENCE_MS = 1000
_SETTINGS = (
    f"SET statement_timeout = '{PATIENCE}s'; SET lock_timeout = '{PATIENCE}s'; "
    f"SET idle_in_transaction_session_timeout = '{4 * PATIENCE}s'"
)
_BEGIN = {True: "BEGIN", False: "BEGIN; SET LOCAL synchronous_commit = off"}
_ENDED = "SELECT CASE WHEN pg_try_advisory_lock_shared(?) THEN pg_advisory_unlock_shared(?) END"
_Connection = psycopg.Connection[tuple[Any, ...]]


class PostgresEngine:
    """One database, with a connection for writing and one for reading; safe to use from several threads."""

    exclude = f"SELECT pg_advisory_xact_lock({1 << 62})"  # a number that no process has

    def __init__(self, address: str) -> None:
        """Connect to `postgresql://…`. Raises StoreUnavailable, whose message does not repeat the address."""
        self._address, self.me = address, secrets.randbelow(1 << 62)
        self._writing, self._reading = threading.Lock(), threading.Lock()
        with _translated():
            self._writer, self._reader = self._connect(writes=True), self._connect(writes=False)

    def transact(self, acts: list[Act[Any]], *, durable: bool) -> list[Any]:
        """Run the acts in one transaction. Raises StoreUnavailable, and what the acts raise."""
        with self._writing, _translated():
            self._begin(_BEGIN[durable])
            transaction = _PostgresTransaction(self._writer, self.me)
            try:
                values = [act(transaction) for act in acts]
                self._writer.execute("COMMIT")
            except BaseException:
                with suppress(psycopg.Error):  # a connection that is lost has ended the transaction already
                    self._writer.execute("ROLLBACK")
                raise
            return values

    def read(self, acts: list[Act[Any]]) -> list[Any]:
        """Run acts that change nothing. Raises as `transact`."""
        with self._reading, _translated():
            try:
                return [act(_PostgresTransaction(self._reader, self.me)) for act in acts]
            except psycopg.OperationalError:
                if not self._reader.broken:
                    raise
                self._reader = self._connect(writes=False)
                return [act(_PostgresTransaction(self._reader, self.me)) for act in acts]

    def read_now(self, act: Act[Value]) -> Value | None:
        """None: a question to a server is always waited for."""
        return None

    @property
    def lags(self) -> bool:
        """The server looks after itself."""
        return False

    def settle(self) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Release the lock of this process and close the connections.

        The server notices a closed connection only some milliseconds later, and others would take this process for
        a running one until then. The end of a killed process cannot be known earlier.
        """
        with self._writing, self._reading:
            with suppress(psycopg.Error):  # a lost connection has no lock any more
                self._writer.execute("SELECT pg_advisory_unlock(%s)", (self.me,))
            self._writer.close()
            self._reader.close()

    def _begin(self, sql: str) -> None:
        """Begin a transaction, on a new connection when the server has been started again since the last one."""
        try:
            self._writer.execute(cast(Any, sql))
        except psycopg.OperationalError:
            if not self._writer.broken:
                raise
            self._writer = self._connect(writes=True)
            self._writer.execute(cast(Any, sql))

    def _connect(self, *, writes: bool) -> _Connection:
        connection = psycopg.connect(
            self._address, autocommit=True, connect_timeout=PATIENCE, tcp_user_timeout=PATIENCE * 1000,
            application_name="haihe-service",
        )  # fmt: skip
        connection.execute(_SETTINGS)
        if not writes:  # whether a caller may ask is read while its request is answered
            connection.execute(f"SET statement_timeout = '{READ_PATIENCE_MS}ms'")
        if writes:
            connection.execute("SELECT pg_advisory_lock(%s)", (self.me,))
        return connection


class _PostgresTransaction:
    """A transaction of PostgreSQL's."""

    __slots__ = ("_connection", "_me")

    def __init__(self, connection: _Connection, me: int) -> None:
        self._connection, self._me = connection, me

    def rows(self, sql: str, *values: object) -> Rows:
        """Run one statement and return its rows."""
        cursor = self._connection.execute(cast(Any, _placeholders(sql)), values)
        return cursor.fetchall() if cursor.description is not None else []

    def count(self, sql: str, *values: object) -> int:
        """Run one statement and return how many rows it changed."""
        return self._connection.execute(cast(Any, _placeholders(sql)), values).rowcount

    def lives(self, process: int) -> bool:
        """Whether the process still runs: its lock cannot be taken."""
        return process == self._me or self.rows(_ENDED, process, process) == [(None,)]


@lru_cache(512)
def _placeholders(sql: str) -> str:
    assert "%" not in sql
    return sql.replace("?", "%s")


@contextmanager
def _translated() -> Iterator[None]:
    """Raise StoreUnavailable for what is not the fault of a statement. No message repeats the server's own words."""
    try:
        yield
    except (psycopg.DataError, UnicodeEncodeError) as bad:  # a text or a number that no column holds
        raise Malformed("store.not-a-value") from bad
    except (psycopg.ProgrammingError, psycopg.IntegrityError):
        raise
    except psycopg.Error as fault:
        raise StoreUnavailable("store.not-available", why=Text.verbatim(type(fault).__name__)) from fault
