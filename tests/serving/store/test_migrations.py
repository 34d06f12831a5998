"""An older store is moved forward in one transaction, a newer one is refused in words, and nothing is lost."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from credit.errors import Broken
from serving.store import migrations
from serving.store.sqlite_engine import SqliteEngine
from serving.store.store import open_store, statement

VERSION = statement("SELECT version FROM store_version")


def test_a_new_store_has_the_newest_form_and_opening_it_again_changes_nothing(place: Any) -> None:
    for _ in range(2):
        store = open_store(place)
        assert store.run(VERSION) == [(len(migrations.steps()),)]
        store.close()


def test_a_store_of_a_newer_program_is_refused_in_words_and_left_alone(place: Any) -> None:
    store = open_store(place)
    store.run(statement("UPDATE store_version SET version = 999"))
    store.close()
    with pytest.raises(Broken, match="newer"):
        open_store(place)


def test_a_step_that_fails_leaves_the_store_as_it_was(place: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    open_store(place).close()
    broken = (*migrations.steps(), ("CREATE TABLE further (name TEXT)", "SELECT * FROM nowhere"))
    with monkeypatch.context() as patched:
        patched.setattr(migrations, "steps", lambda: broken)
        with pytest.raises(Exception, match="nowhere"):
            open_store(place)
    good = (*migrations.steps(), ("CREATE TABLE further (name TEXT)",))
    monkeypatch.setattr(migrations, "steps", lambda: good)
    store = open_store(place)
    assert store.run(VERSION) == [(len(good),)]
    assert store.run(statement("SELECT * FROM further")) == []
    store.close()


def test_of_several_processes_that_start_at_once_one_migrates(place: Any) -> None:
    faults: list[Exception] = []

    def start() -> None:
        try:
            open_store(place).close()
        except Exception as fault:
            faults.append(fault)

    threads = [threading.Thread(target=start) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []


FORMER = {
    "access.db": """
      CREATE TABLE client (name TEXT PRIMARY KEY, salt BLOB NOT NULL, hash BLOB NOT NULL, scopes TEXT NOT NULL,
        created_at TEXT NOT NULL, disabled INTEGER NOT NULL DEFAULT 0) STRICT;
      CREATE TABLE mandate (id TEXT PRIMARY KEY, bank TEXT NOT NULL REFERENCES client(name), envelope TEXT NOT NULL,
        revoked_at TEXT) STRICT;
      INSERT INTO client VALUES ('bohai', x'01', x'02', 'score', '2026-01-01T00:00:00+00:00', 0);
      INSERT INTO mandate VALUES ('mandate-1', 'bohai', '{}', NULL)""",
    "watches.db": """
      CREATE TABLE webhook (bank TEXT PRIMARY KEY, url TEXT NOT NULL) STRICT;
      CREATE TABLE watch (id TEXT PRIMARY KEY, bank TEXT NOT NULL, subject TEXT NOT NULL, model TEXT NOT NULL,
        mandate TEXT NOT NULL, purpose TEXT NOT NULL, kinds TEXT NOT NULL, told TEXT, version TEXT NOT NULL,
        seen TEXT NOT NULL, opened_at REAL NOT NULL, ended TEXT) STRICT;
      CREATE TABLE delivery (id TEXT PRIMARY KEY, watch TEXT NOT NULL REFERENCES watch(id), bank TEXT NOT NULL,
        body BLOB NOT NULL, told TEXT, version TEXT NOT NULL, status TEXT NOT NULL, attempts INTEGER NOT NULL,
        next_at REAL NOT NULL, last TEXT NOT NULL, made_at REAL NOT NULL) STRICT;
      INSERT INTO webhook VALUES ('bohai', 'https://bohai.example');
      INSERT INTO watch VALUES ('w', 'bohai', 's', 'm', 'mandate-1', 'p', 'grade', NULL, 'v', 'b', 1.5, NULL);
      INSERT INTO delivery VALUES ('d', 'w', 'bohai', x'7b7d', NULL, 'v', 'waiting', 0, 2.5, '', 1.5)""",
    "calls.db": """
      CREATE TABLE heard (name TEXT PRIMARY KEY, number INTEGER NOT NULL) STRICT, WITHOUT ROWID;
      INSERT INTO heard VALUES ('withheld-scoring', 7)""",
}  # fmt: skip


def test_what_earlier_releases_kept_in_several_files_moves_into_the_store(tmp_path: Path) -> None:
    for name, script in FORMER.items():
        with closing(sqlite3.connect(tmp_path / name)) as db:
            db.executescript(f"PRAGMA journal_mode=WAL; {script};")
    (tmp_path / "quotas.bin").write_bytes(b"in use")
    store = open_store(tmp_path / "access.db")
    assert store.run(statement("SELECT name FROM client")) == [("bohai",)]
    assert store.run(statement("SELECT id FROM mandate")) == [("mandate-1",)]
    assert store.run(statement("SELECT url, secret FROM webhook")) == [("https://bohai.example", "")]
    assert store.run(statement("SELECT id, opened_at FROM watch")) == [("w", 1.5)]
    assert store.run(statement("SELECT body FROM delivery")) == [(b"{}",)]
    assert store.run(statement("SELECT number FROM heard")) == [(7,)]
    assert {path.name for path in tmp_path.iterdir()} <= {
        "access.db", "access.db-wal", "access.db-shm", "access.alive", "quotas.bin"
    }  # fmt: skip
    store.close()


def test_the_former_files_of_a_store_that_could_not_be_migrated_stay(tmp_path: Path) -> None:
    for name, script in FORMER.items():
        with closing(sqlite3.connect(tmp_path / name)) as db:
            db.executescript(f"{script};")
    with closing(sqlite3.connect(tmp_path / "access.db")) as db:
        db.executescript("CREATE TABLE watch (something TEXT)")  # in the way
    with pytest.raises(sqlite3.OperationalError):
        open_store(tmp_path / "access.db")
    assert (tmp_path / "watches.db").exists()
    engine = SqliteEngine(tmp_path / "access.db")
    assert engine.read([statement("SELECT count(*) FROM sqlite_master WHERE name = 'store_version'")]) == [[(0,)]]
    engine.close()
