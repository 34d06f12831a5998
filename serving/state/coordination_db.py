"""The database that coordinates the service's processes, also across restarts: proofs and idempotency keys once used.

One SQLite database beside the access database, readable to its owner alone. It is written without waiting for the disk
(synchronous=NORMAL in WAL mode): a killed process loses nothing, and a power cut loses at most the used proofs of a
few minutes and some stored answers. The acts themselves are in the ledger, which does wait for the disk.

By default each writer copies the write-ahead log (WAL) into the database after every 4 MiB, and waits for the disk:
with answers of 11 KiB, fifteen milliseconds after every 370 of them. So a second connection copies it in a thread, and
a writer does so only beyond 64 MiB.
"""

from __future__ import annotations

import sqlite3
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

from serving.state.liveness_lock import LivenessLock

_SCHEMA = """
CREATE TABLE IF NOT EXISTS seen (name TEXT PRIMARY KEY, until REAL NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS heard (name TEXT PRIMARY KEY, number INTEGER NOT NULL) STRICT, WITHOUT ROWID;
"""
_KEYS = """
CREATE TABLE IF NOT EXISTS {0} (
  bank TEXT NOT NULL, key BLOB NOT NULL, asked BLOB NOT NULL, at REAL NOT NULL, id TEXT, body BLOB, owner INTEGER,
  UNIQUE (bank, key)) STRICT;
CREATE INDEX IF NOT EXISTS {0}_of ON {0} (bank, at);
CREATE INDEX IF NOT EXISTS {0}_large ON {0} (bank) WHERE length(body) > {1};
"""
# Tables of idempotency keys: of answers, and of resources that last longer than an answer.
ANSWERED, LASTING = "answered", "made"
LARGE = 16_384  # bytes from which an answer counts towards the limit on large ones
_LOG_PAGES = 16_384  # of 4 KiB


class CoordinationDb:
    """The database; safe to use from several threads and processes."""

    def __init__(self, path: Path | None = None) -> None:
        """Open the database at `path` and create it if necessary; without a path, one in the memory of this process."""
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch(mode=0o600)
        self._lock, self._settling, self._settled = threading.Lock(), threading.Lock(), 0
        self._log = path and path.with_name(f"{path.name}-wal")
        self._db = sqlite3.connect(path or ":memory:", timeout=10, isolation_level=None, check_same_thread=False)
        for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "secure_delete=ON",
                       f"wal_autocheckpoint={_LOG_PAGES}"):  # fmt: skip
            self._db.execute(f"PRAGMA {pragma}")
        self._db.executescript(_SCHEMA + "".join(_KEYS.format(table, LARGE) for table in (ANSWERED, LASTING)))
        with suppress(sqlite3.OperationalError):  # a database made earlier has no such column
            self._db.execute("ALTER TABLE answered ADD COLUMN owner INTEGER")
        self._checkpointer = sqlite3.connect(path, timeout=0, check_same_thread=False) if path else None
        self.liveness = LivenessLock(path and path.with_suffix(".alive"))

    def rows(self, sql: str, *values: object) -> list[Any]:
        """Run one statement, a transaction of its own, and return its rows."""
        with self._lock:
            return self._db.execute(sql, values).fetchall()

    def keep(self, sql: str, *values: object) -> list[Any]:
        """Run one statement, on the disk before it returns, so that it survives a power cut; for infrequent writes."""
        with self._lock:
            self._db.execute("PRAGMA synchronous=FULL")
            try:
                return self._db.execute(sql, values).fetchall()
            finally:
                self._db.execute("PRAGMA synchronous=NORMAL")

    @property
    def lags(self) -> bool:
        """Whether the write-ahead log has grown since it was last copied."""
        return self._log is not None and _written(self._log) != self._settled

    def settle(self) -> None:
        """Copy the write-ahead log into the database. This waits for the disk: call it in a thread, and often."""
        with self._settling:
            if self._checkpointer is not None and self._log is not None:
                self._settled = _written(self._log)
                with suppress(sqlite3.OperationalError):  # another process is copying it
                    self._checkpointer.execute(
                        "PRAGMA wal_checkpoint(PASSIVE)"
                    )  # it neither waits nor makes others wait

    def close(self) -> None:
        """Close the database; to the other processes this one has ended."""
        with self._settling:
            if self._checkpointer is not None:
                self._checkpointer.close()
            self._checkpointer = None
        with self._lock:
            self._db.close()
        self.liveness.close()


def _written(log: Path) -> int:
    try:
        return log.stat().st_mtime_ns
    except FileNotFoundError:
        return 0
