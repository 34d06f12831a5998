"""Stored idempotency keys have bounds for each bank, and are written where no request waits for it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from serving.idempotency.idempotency_store import IdempotencyStore
from serving.idempotency.stored_answer import StoredAnswer
from serving.store.store import Store, open_store


@pytest.fixture
def shared(place: Any) -> Iterator[Store]:
    opened = open_store(place)
    yield opened
    opened.close()


async def once(store: IdempotencyStore, bank: str, number: int, size: int = 4) -> bool:
    """Whether the answer, of so many bytes, was remembered."""

    async def act(name: str) -> StoredAnswer:
        return StoredAnswer(name, bytes(size))

    return (await store.once(bank, b"%d" % number, b"", f"{bank} {number}", act))[1]


def test_a_bank_that_sends_much_pushes_out_its_own_answers_and_no_others(
    shared: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("serving.idempotency.idempotency_store.MOST", 100)
    monkeypatch.setattr("serving.idempotency.claim_table._PRUNE_EVERY", 10)

    async def all_() -> tuple[list[bool], list[bool], list[bool]]:
        store = IdempotencyStore(shared)
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
    shared: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("serving.idempotency.claim_table.MOST_BYTES", 100_000)

    async def all_() -> list[list[bool]]:
        store, sent = (
            IdempotencyStore(shared),
            {"large": (30_000, 5), "small": (100, 5), "theirs": (30_000, 2)},
        )
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
