"""A SQLite file that only the hub reads and writes."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path


@contextmanager
def private_database(path: Path, schema: str) -> Iterator[sqlite3.Connection]:
    """Open the database, made with ``schema`` and for its owner alone; commit at the end, roll back on an error."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    with closing(sqlite3.connect(path, timeout=10)) as db, db:
        db.executescript(schema)
        yield db
