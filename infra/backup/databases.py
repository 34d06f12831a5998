"""A copy of an SQLite database while others write to it, by SQLite's own online backup."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from pathlib import Path
from urllib.parse import quote

MAGIC = b"SQLite format 3\0"


def is_database(path: Path) -> bool:
    """True for an SQLite database (file format, §1.3.1)."""
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as stream:
        return stream.read(len(MAGIC)) == MAGIC


def copy_database(source: Path, target: Path) -> None:
    """Copy a database as one moment had it, into a file that needs no other beside it."""
    target.unlink(missing_ok=True)
    uri = f"file:{quote(str(source))}?mode=ro"
    with (
        contextlib.closing(sqlite3.connect(uri, uri=True)) as reading,
        contextlib.closing(sqlite3.connect(target)) as writing,
    ):
        reading.backup(writing)
        writing.execute("PRAGMA journal_mode = DELETE")
    target.chmod(0o600)
