"""Stored idempotency keys have bounds for each bank, and are written where no request waits for it."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import pytest

from serving.idempotency.idempotency_store import IdempotencyStore
from serving.state.coordination_db import CoordinationDb


async def once(store: IdempotencyStore, bank: str, number: int, size: int = 4) -> bool:
    """Whether the answer, of so many bytes, was remembered."""

    async def act(name: str) -> tuple[str, bytes]:
        return name, bytes(size)

    return (await store.once(bank, b"%d" % number, b"", f"{bank} {number}", act))[2]


def test_a_bank_that_sends_much_pushes_out_its_own_answers_and_no_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("serving.idempotency.idempotency_store.MOST", 100)
    monkeypatch.setattr("serving.idempotency.claim_table._PRUNE_EVERY", 10)

    async def all_() -> tuple[list[bool], list[bool], list[bool]]:
        store = IdempotencyStore()
        for number in range(50):
            await once(store, "quiet", number)
        for number in range(500):
            await once(store, "loud", number)
        late = [await once(store, "loud", number) for number in range(499, 409, -1)]
        early = [await once(store, "loud", number) for number in range(10)]
        return [await once(store, "quiet", number) for number in range(50)], late, early

    quiet, late, early = asyncio.run(all_())
    assert all(quiet)
    assert all(late)
    assert not any(early)


def test_large_answers_are_bounded_in_bytes_by_bank_and_product_and_small_ones_are_not_theirs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("serving.idempotency.claim_table.MOST_BYTES", 100_000)

    async def all_() -> list[list[bool]]:
        store, sent = IdempotencyStore(), {"large": (30_000, 5), "small": (100, 5), "theirs": (30_000, 2)}
        for bank, (size, count) in sent.items():
            assert not any([await once(store, bank, number, size) for number in range(count)])
        return [
            [await once(store, bank, number, size) for number in reversed(range(count))]
            for bank, (size, count) in sent.items()
        ]

    large, small, theirs = asyncio.run(all_())
    assert large == [True, True, True, False, False]
    assert small == [True] * 5
    assert theirs == [True, True]


def test_what_was_written_is_copied_in_the_background_and_a_writer_copies_nothing(tmp_path: Path) -> None:
    path = tmp_path / "calls.db"
    shared = CoordinationDb(path)
    before = path.stat().st_size
    for number in range(3000):  # more than SQLite leaves in a log of its own accord
        shared.rows("INSERT INTO seen VALUES (?, 0)", f"{number:01000d}")
    assert path.stat().st_size == before
    shared.settle()
    after = path.stat().st_size
    assert after > before + 3_000_000
    shared.rows("INSERT INTO seen VALUES ('one more', 0)")
    with sqlite3.connect(path) as reading:
        reading.execute("BEGIN")
        reading.execute("SELECT count(*) FROM seen").fetchone()
        shared.settle()  # with an open reader
    assert shared.rows("SELECT count(*) FROM seen") == [(3001,)]
    reading.close()
    shared.close()
    again = CoordinationDb(path)
    assert again.rows("SELECT count(*) FROM seen") == [(3001,)]
    again.close()
    CoordinationDb().settle()  # of what has no file


def test_what_is_kept_is_on_the_disk_and_nothing_else_waits_for_it(tmp_path: Path) -> None:
    shared = CoordinationDb(tmp_path / "calls.db")
    assert shared.keep("PRAGMA synchronous") == [(2,)]  # FULL
    with pytest.raises(sqlite3.OperationalError):
        shared.keep("SELECT nonsense")
    assert shared.rows("PRAGMA synchronous") == [(1,)]  # NORMAL
    shared.close()
