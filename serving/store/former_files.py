"""The files that earlier releases kept beside the database of clients, for the migration that takes them over.

Watches, deliveries and jobs are taken over, and the numbers of the newest notices. Idempotency keys and used proofs
live for a day at most; a service that is stopped for the migration answers repetitions as new requests.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

_FORMER = {
    "watches.db": ("webhook", "watch", "delivery"),
    "jobs.db": ("job",),
    "notices.db": ("notice",),
    "calls.db": ("heard", "live_count"),
}
_SUFFIXES = ("", "-wal", "-shm")
_OTHERS = ("calls.alive",)
Tables = dict[str, tuple[list[str], list[tuple[Any, ...]]]]  # name: its columns and rows


def former_tables(path: Path) -> Tables:
    """What the files beside `path` hold, in the order in which it may be inserted; empty where there are none."""
    contents: Tables = {}
    for name, tables in _FORMER.items():
        if not (file := path.with_name(name)).exists() or file == path:
            continue
        with _opened(file) as db:
            there = {row[0] for row in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
            for table in tables:
                if table in there:
                    cursor = db.execute(f"SELECT * FROM {table}")
                    contents[table] = ([column[0] for column in cursor.description], cursor.fetchall())
    return contents


def remove_former_files(path: Path) -> None:
    """Delete the files beside `path`, whose contents the store holds by now: they contain pseudonyms of subjects."""
    for name in [*(name + end for name in _FORMER for end in _SUFFIXES), *_OTHERS]:
        if (file := path.with_name(name)) != path:
            file.unlink(missing_ok=True)


@contextmanager
def _opened(file: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=rw", uri=True)) as db:
        yield db
