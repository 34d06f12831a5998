"""SQLite under the store: one file in WAL mode, where reading never waits, and one writer at a time.

A transaction that need not survive a power cut does not wait for the disk (synchronous=NORMAL in WAL mode). By default
each writer copies the write-ahead log into the database after every 4 MiB, and waits for the disk; here `settle` copies
it, on a connection of its own, and a writer does so only beyond 64 MiB.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from credit.errors import Malformed
from credit.messages import Text
from serving.store.liveness_lock import LivenessLock
from serving.store.transaction import Act, Rows, StoreUnavailable, Value

BUSY_SECONDS = 5.0  # a transaction waits so long for another process
_LOG_PAGES = 16_384  # of 4 KiB


class SqliteEngine:
    """One database; safe to use from several threads and processes."""

    exclude = "SELECT 1"  # every transaction that writes is the only one

    def __init__(self, path: Path | None = None, busy_seconds: float = BUSY_SECONDS) -> None:
        """Open the database at `path`, readable to its owner alone; without a path, one in this process's memory.

        Raises StoreUnavailable.
        """
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch(mode=0o600)
        self._log = path and path.with_name(f"{path.name}-wal")
        self._writing, self._reading, self._settling = threading.Lock(), threading.Lock(), threading.Lock()
        self._settled, self._is_full = 0, False
        with _translated():
            self._db = _connect(path, busy_seconds)
            for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "secure_delete=ON", "foreign_keys=ON",
                           f"wal_autocheckpoint={_LOG_PAGES}"):  # fmt: skip
                self._db.execute(f"PRAGMA {pragma}")
            self._reader = _connect(path, 0) if path else self._db
            self._checkpointer = _connect(path, 0) if path else None
        if path is None:
            self._reading = self._writing
        self._liveness = LivenessLock(path and path.with_suffix(".alive"))
        self.me = self._liveness.me

    def transact(self, acts: list[Act[Any]], *, durable: bool) -> list[Any]:
        """Run the acts in one transaction. Raises StoreUnavailable, and what the acts raise."""
        with self._writing, _translated():
            if durable != self._is_full:
                self._db.execute(f"PRAGMA synchronous={'FULL' if durable else 'NORMAL'}")
                self._is_full = durable
            self._db.execute("BEGIN IMMEDIATE")
            try:
                transaction = _SqliteTransaction(self._db, self._liveness)
                values = [act(transaction) for act in acts]
                self._db.execute("COMMIT")
            except BaseException:
                with suppress(sqlite3.Error):  # a full disk has ended the transaction already
                    self._db.execute("ROLLBACK")
                raise
            return values

    def read(self, acts: list[Act[Any]]) -> list[Any]:
        """Run acts that change nothing. Raises as `transact`."""
        with self._reading, _translated():
            transaction = _SqliteTransaction(self._reader, self._liveness)
            return [act(transaction) for act in acts]

    def read_now(self, act: Act[Value]) -> Value | None:
        """As `read`, without ever waiting; None when another process has locked the file for the moment."""
        if not self._reading.acquire(blocking=False):
            return None
        try:
            return act(_SqliteTransaction(self._reader, self._liveness))
        except sqlite3.OperationalError:  # a thread that waits for it learns the cause
            return None
        finally:
            self._reading.release()

    @property
    def lags(self) -> bool:
        """Whether the write-ahead log has grown since it was last copied."""
        return self._log is not None and _written(self._log) != self._settled

    def settle(self) -> None:
        """Copy the write-ahead log into the database, without making a writer wait for its lock."""
        with self._settling:
            if self._checkpointer is not None and self._log is not None:
                self._settled = _written(self._log)
                with suppress(sqlite3.OperationalError):  # another process is copying it
                    self._checkpointer.execute("PRAGMA wal_checkpoint(PASSIVE)")

    def close(self) -> None:
        """Close the database."""
        with self._settling, self._writing:
            if self._checkpointer is not None:
                self._checkpointer.close()
            self._checkpointer = None
            self._reader.close()
            self._db.close()
        self._liveness.close()


class _SqliteTransaction:
    """A transaction of SQLite's."""

    __slots__ = ("_db", "_liveness")

    def __init__(self, db: sqlite3.Connection, liveness: LivenessLock) -> None:
        self._db, self._liveness = db, liveness

    def rows(self, sql: str, *values: object) -> Rows:
        """Run one statement and return its rows."""
        return self._db.execute(sql, values).fetchall()

    def count(self, sql: str, *values: object) -> int:
        """Run one statement and return how many rows it changed."""
        return self._db.execute(sql, values).rowcount

    def lives(self, process: int) -> bool:
        """Whether the process still runs."""
        return self._liveness.lives(process)


@contextmanager
def _translated() -> Iterator[None]:
    """Raise StoreUnavailable for what is not the fault of a statement: a lock, a full disk, a damaged file."""
    try:
        yield
    except (OverflowError, UnicodeEncodeError) as bad:  # a text or a number that no column holds
        raise Malformed("store.not-a-value") from bad
    except (sqlite3.ProgrammingError, sqlite3.IntegrityError):
        raise
    except sqlite3.Error as fault:
        if fault.sqlite_errorcode == sqlite3.SQLITE_ERROR:  # a statement that SQLite does not understand
            raise
        raise StoreUnavailable("store.not-available", why=Text.verbatim(fault.sqlite_errorname)) from fault


def _connect(path: Path | None, busy_seconds: float) -> sqlite3.Connection:
    return sqlite3.connect(path or ":memory:", timeout=busy_seconds, isolation_level=None, check_same_thread=False)


def _written(log: Path) -> int:
    try:
        return log.stat().st_mtime_ns
    except FileNotFoundError:
        return 0
