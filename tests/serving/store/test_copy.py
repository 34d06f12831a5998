"""A store in SQLite is copied whole into an empty one in PostgreSQL, and never into one that is in use."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from credit.errors import Refused
from serving.auth.access_database import AccessDatabase
from serving.auth.clients import RateLimit
from serving.store.copy import TABLES, copy_store
from serving.store.store import open_store, statement

MADE_BY_MIGRATION = {"generation", "store_version"}


def test_every_table_is_copied_and_a_client_proves_its_secret_in_the_copy(tmp_path: Path, postgres: Any) -> None:
    file = tmp_path / "access.db"
    access = AccessDatabase(file)
    secret = access.add_client("bohai")
    access.set_limit("bohai", RateLimit(3, 30))
    access.store.run(statement("INSERT INTO answered (bank, key, asked, at, id, owner) VALUES ('b', ?, ?, 1.5, 'i', 7)",
                               b"k", b"\x00\xff"))  # fmt: skip
    named = {name for (name,) in access.store.query(statement("SELECT name FROM sqlite_master WHERE type = 'table'"))}
    assert set(TABLES) == named - MADE_BY_MIGRATION  # a further table must be copied too
    access.close()
    target = open_store(postgres.database())
    counts = copy_store(file, target)
    assert {table: count for table, count in counts.items() if count} == {
        "client": 1, "client_limit": 1, "client_kind": 1, "answered": 1,
    }  # fmt: skip
    copied = AccessDatabase(target)
    assert copied.check("bohai", secret).limit == RateLimit(3, 30)
    assert target.query(statement("SELECT asked, at, id, owner FROM answered")) == [(b"\x00\xff", 1.5, "i", None)]
    with pytest.raises(Refused):
        copy_store(file, target)
    copied.close()
