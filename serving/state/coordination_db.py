"""What the service's processes must know of each other, and of themselves after a restart: proofs and keys once used.

One SQLite database beside the access database, readable to its owner alone. It is written without waiting for the disk
(synchronous=NORMAL in WAL mode): a killed process loses nothing, and a power cut loses at most what a proof's few
minutes or a repetition are worth. The acts themselves are in the ledger, which does wait for the disk.

Whoever writes would have to copy the log (WAL) into the database each 4 MiB, and to wait for the disk: with answers of
11 KiB, fifteen milliseconds after every 370 of them. So it is copied aside, and by a writer only beyond 64 MiB.
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
ANSWERED, LASTING = (
    "answered",
    "made",
)  # tables of idempotency keys: of answers, and of what lasts longer than an answer
LARGE = 16_384  # bytes from which an answer counts towards the bound on large ones
_LOG_PAGES = 16_384  # of 4 KiB


class CoordinationDb:
    """The database; safe to use from several threads and processes. Without a path, one process's own."""

    def __init__(self, path: Path | None = None) -> None:
        """Open it, made when it does not exist."""
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch(mode=0o600)
        self._turn, self._settling, self._settled = threading.Lock(), threading.Lock(), 0
        self._log = path and path.with_name(f"{path.name}-wal")
        self._db = sqlite3.connect(path or ":memory:", timeout=10, isolation_level=None, check_same_thread=False)
        for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "secure_delete=ON",
                       f"wal_autocheckpoint={_LOG_PAGES}"):  # fmt: skip
            self._db.execute(f"PRAGMA {pragma}")
        self._db.executescript(_SCHEMA + "".join(_KEYS.format(table, LARGE) for table in (ANSWERED, LASTING)))
        with suppress(sqlite3.OperationalError):  # a database made earlier has no such column
            self._db.execute("ALTER TABLE answered ADD COLUMN owner INTEGER")
        self._aside = sqlite3.connect(path, timeout=0, check_same_thread=False) if path else None
        self.alive = LivenessLock(path and path.with_suffix(".alive"))

    def rows(self, sql: str, *values: object) -> list[Any]:
        """Run one statement, a transaction of its own, and give its rows."""
        with self._turn:
            return self._db.execute(sql, values).fetchall()

    def keep(self, sql: str, *values: object) -> list[Any]:
        """The same, and on the disk before it returns: a power cut does not lose it. For what is asked seldom."""
        with self._turn:
            self._db.execute("PRAGMA synchronous=FULL")
            try:
                return self._db.execute(sql, values).fetchall()
            finally:
                self._db.execute("PRAGMA synchronous=NORMAL")

    @property
    def lags(self) -> bool:
        """Whether the log has more than when it was last settled."""
        return self._log is not None and _written(self._log) != self._settled

    def settle(self) -> None:
        """Copy what the log has into the database. Takes as long as the disk does: in a thread, and often."""
        with self._settling:
            if self._aside is not None and self._log is not None:
                self._settled = _written(self._log)
                with suppress(sqlite3.OperationalError):  # another process is at it
                    self._aside.execute("PRAGMA wal_checkpoint(PASSIVE)")  # which waits for nobody, and nobody for it

    def close(self) -> None:
        """Close the database; to the other processes this one is dead."""
        with self._settling:
            if self._aside is not None:
                self._aside.close()
            self._aside = None
        with self._turn:
            self._db.close()
        self.alive.close()


def _written(log: Path) -> int:
    try:
        return log.stat().st_mtime_ns
    except FileNotFoundError:
        return 0
