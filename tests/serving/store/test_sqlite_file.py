"""A store in SQLite copies its log where no request waits for it, and is readable to its owner alone."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from serving.store.store import open_store, statement


def test_what_was_written_is_copied_in_the_background_and_a_writer_copies_nothing(tmp_path: Path) -> None:
    path = tmp_path / "access.db"
    store = open_store(path)
    before = path.stat().st_size
    for number in range(1200):  # more than SQLite leaves in a log of its own accord
        store.run(statement("INSERT INTO seen (name, until) VALUES (?, 0)", f"{number:01000d}"), durable=False)
    assert path.stat().st_size == before
    assert store.lags
    store.settle()
    assert not store.lags
    assert path.stat().st_size > before + 1_000_000
    store.run(statement("INSERT INTO seen (name, until) VALUES ('one more', 0)"))
    with sqlite3.connect(path) as reading:
        reading.execute("BEGIN")
        reading.execute("SELECT count(*) FROM seen").fetchone()
        store.settle()  # with an open reader
    count = statement("SELECT count(*) FROM seen")
    assert store.query(count) == [(1201,)]
    reading.close()
    store.close()
    again = open_store(path)
    assert again.query(count) == [(1201,)]
    again.close()
    in_memory = open_store()
    in_memory.settle()
    in_memory.close()


def test_a_new_file_is_readable_to_its_owner_alone(tmp_path: Path) -> None:
    store = open_store(tmp_path / "folder" / "access.db")
    assert {path.stat().st_mode & 0o077 for path in (tmp_path / "folder").iterdir()} == {0}
    store.close()
