"""The same key and body give the same answer, to the byte; another body is refused, and so is what was revoked."""

from __future__ import annotations

import asyncio
import hashlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from serving_post_requests import simulate_kill
from serving_world import PLATFORM, PURPOSE, codes

from credit.errors import Lapsed, Malformed
from serving.audit.identifiers import score_id
from serving.auth.access_database import AccessDatabase
from serving.auth.mandates import revoke
from serving.idempotency.idempotency_store import LASTING, IdempotencyStore
from serving.idempotency.keys import PATIENCE, SECONDS
from serving.idempotency.stored_answer import StoredAnswer
from serving.store.store import open_store

GOOD, OTHER = codes("enterprise", 2)


def post_score(running: Any, key: str, mandate: str, code: str = GOOD, bank: str = "bohai") -> Any:
    headers = {"Authorization": f"Bearer {running.token(bank)}", "Idempotency-Key": key}
    return running.http.post("/v1/scores", json={"uscc": code, "purpose": PURPOSE, "mandate": mandate}, headers=headers)


def test_one_key_one_answer(running: Any) -> None:
    mandate = running.world.grant("bohai", GOOD).id
    first, again, new = (
        post_score(running, "k-1", mandate),
        post_score(running, "k-1", mandate),
        post_score(running, "k-2", mandate),
    )
    assert first.content == again.content != new.content
    assert post_score(running, "k-1", mandate, OTHER).status_code == 422
    assert post_score(running, "", mandate).status_code == 422
    assert post_score(running, "k" * 129, mandate).status_code == 422
    theirs = post_score(running, "k-1", running.world.grant("jincheng", GOOD).id, bank="jincheng")
    assert theirs.json()["score_id"] != first.json()["score_id"]
    repeated = running.entries("score.repeated")
    assert [entry.object for entry in repeated] == [first.json()["score_id"]]


def test_a_key_does_not_outlive_its_mandate(running: Any) -> None:
    mandate = running.world.grant("bohai", GOOD).id
    assert post_score(running, "k", mandate).status_code == 200
    access = AccessDatabase(running.world.root / "access.db")
    revoke(access, mandate, by=PLATFORM, ledger=running.world.ledger)
    access.close()
    assert post_score(running, "k", mandate).status_code == 403


def test_two_at_once_are_one_act_and_a_refusal_is_not_stored() -> None:
    acts = []

    async def act(_: str) -> StoredAnswer:
        acts.append(1)
        await asyncio.sleep(0)
        if len(acts) == 1:
            raise ValueError
        return StoredAnswer(f"id-{len(acts)}", b"body")

    async def all_() -> list[Any]:
        store = IdempotencyStore()
        both = await asyncio.gather(*(store.once("b", b"k", b"", "id", act) for _ in range(2)), return_exceptions=True)
        return [*both, *(await asyncio.gather(*(store.once("b", b"k", b"", "id", act) for _ in range(3))))]

    results = asyncio.run(all_())
    assert [type(one) for one in results[:2]] == [ValueError, ValueError]
    answer = StoredAnswer("id-2", b"body")
    assert results[2:] == [(answer, False), (answer, True), (answer, True)]
    assert len(acts) == 2


def post(running: Any, path: str, **more: Any) -> Any:
    headers = {"Authorization": f"Bearer {running.token()}", "Idempotency-Key": "k"}
    return running.http.post(path, json={"uscc": GOOD, "purpose": PURPOSE, **more}, headers=headers)


@pytest.mark.parametrize(("path", "verb", "more"), [
    ("/v1/scores", "score.answered", {}),
    ("/v1/verifications", "verification.answered", {"question": "points_within"}),
])  # fmt: skip
def test_an_answer_whose_process_was_killed_before_it_left_is_given_to_the_repeated_request(
    running: Any, path: str, verb: str, more: Any
) -> None:
    mandate = running.world.grant("bohai", GOOD).id
    first = post(running, path, mandate=mandate, **more)
    simulate_kill(running)
    again = post(running, path, mandate=mandate, **more)
    assert again.elapsed.total_seconds() < 5  # it is known to be dead, and not waited for
    assert again.content == first.content
    assert len(running.entries(verb)) == 1
    assert [entry.object for entry in running.entries("score.repeated")] == [running.entries(verb)[0].object]
    assert post(running, path, mandate=mandate, **more).content == first.content  # and remembered from now on


def test_what_cannot_be_made_again_is_scored_again_and_what_was_not_recorded_under_the_same_name(
    running: Any,
) -> None:
    mandate = running.world.grant("bohai", GOOD).id
    first = post_score(running, "k", mandate).json()
    simulate_kill(running, id=(name := score_id()))  # killed before the entry
    again = post_score(running, "k", mandate).json()
    assert again["score_id"] == name != first["score_id"]
    sealed = running.seals["enterprise"]
    simulate_kill(running)
    running.world.promote("enterprise", sealed[2])
    running.world.show("enterprise", sealed[2], sealed[3])
    running.http.app.service.snapshots.refresh()
    rescored = post_score(running, "k", mandate).json()
    assert rescored["snapshot"]["id"] == sealed[3]
    assert rescored["score_id"] not in (name, first["score_id"])
    assert running.entries("score.repeated") == []
    assert post_score(running, "k", mandate).json() == rescored


@pytest.mark.attack
def test_an_answer_that_was_not_delivered_does_not_outlive_its_mandate(running: Any) -> None:
    mandate = running.world.grant("bohai", GOOD).id
    assert post_score(running, "k", mandate).status_code == 200
    simulate_kill(running)
    access = AccessDatabase(running.world.root / "access.db")
    revoke(access, mandate, by=PLATFORM, ledger=running.world.ledger)
    access.close()
    assert post_score(running, "k", mandate).status_code == 403


def test_of_two_who_find_a_dead_ones_call_one_takes_it(place: Any) -> None:
    dead, one, two = (open_store(place) for _ in range(3))
    first, *others = (IdempotencyStore(store).table for store in (dead, one, two))

    async def claimed_again() -> None:
        assert await first.claim("b", b"k", b"asked", "first") is None
        row = await others[0].claim("b", b"k", b"asked", "second")
        assert row is not None
        assert (row.id, row.owner, row.is_free) == ("first", dead.me, False)

    async def ended() -> list[str | None]:
        rows = [await other.claim("b", b"k", b"asked", "third") for other in others]
        assert [row is not None and row.is_free for row in rows] == [True, True]
        return [await other.take_over("b", b"k", row, b"asked", "third")
                for other, row in zip(others, rows, strict=True) if row is not None]  # fmt: skip

    asyncio.run(claimed_again())
    dead.close()
    assert asyncio.run(ended()) == ["first", None]
    one.close()
    two.close()


def test_a_key_used_again_after_a_day_is_another_call_and_not_the_one_that_was_made_then() -> None:
    now, acts = [0.0], []

    async def act(name: str) -> StoredAnswer:
        acts.append(name)
        return StoredAnswer(name, name.encode())

    async def all_() -> None:
        store = IdempotencyStore(clock=lambda: now[0], table=LASTING, lasting=True)
        assert await store.once("b", b"k", b"one", "first", act) == (StoredAnswer("first", b"first"), False)
        now[0] += SECONDS - 1
        assert await store.once("b", b"k", b"one", "second", act) == (StoredAnswer("first", b"first"), True)
        now[0] += 2
        assert await store.once("b", b"k", b"two", "third", act) == (StoredAnswer("third", b"third"), False)

    asyncio.run(all_())
    assert acts == ["first", "third"]


def test_what_was_cut_off_is_continued_under_its_id_and_by_its_own_body_alone(place: Any) -> None:
    acts: list[str] = []

    async def act(name: str) -> StoredAnswer:
        acts.append(name)
        if len(acts) < 3:
            raise (asyncio.CancelledError, Lapsed("busy"))[len(acts) - 1]
        return StoredAnswer(name, b"done")

    async def all_() -> tuple[StoredAnswer, bool]:
        shared = open_store(place)
        store = IdempotencyStore(shared, table=LASTING, lasting=True)
        with pytest.raises(asyncio.CancelledError):
            await store.once("b", b"k", b"one", "first", act)
        with pytest.raises(Malformed, match="another request"):
            await store.once("b", b"k", b"two", "second", act)
        with pytest.raises(Lapsed):  # a refusal now does not undo what may have been done then
            await store.once("b", b"k", b"one", "third", act)
        result = await store.once("b", b"k", b"one", "fourth", act)
        shared.close()
        return result

    assert asyncio.run(all_()) == (StoredAnswer("first", b"done"), False)
    assert acts == ["first"] * 3


def test_who_is_still_at_it_in_another_process_is_not_overtaken(place: Any) -> None:
    now, one, two = [0.0], open_store(place), open_store(place)
    digest = hashlib.sha256(b"").digest()
    assert asyncio.run(IdempotencyStore(one, lambda: 0.0).table.claim("b", b"k", digest, "first")) is None

    def later() -> float:
        now[0] += PATIENCE / 4
        return now[0]

    async def never(_: str) -> StoredAnswer:
        raise AssertionError

    with pytest.raises(Lapsed, match="still being answered"):
        asyncio.run(IdempotencyStore(two, later).once("b", b"k", b"", "second", never))
    one.close()
    two.close()


@pytest.mark.attack
@given(st.binary(max_size=140) | st.text(max_size=140).map(str.encode))
def test_a_key_is_1_to_128_visible_characters_and_nothing_else_is_one(key: bytes) -> None:
    async def act(name: str) -> StoredAnswer:
        return StoredAnswer(name)

    good = 1 <= len(key) <= 128 and all(0x21 <= each <= 0x7E for each in key)
    try:
        asyncio.run(IdempotencyStore().once("b", key, b"", "id", act))
    except Malformed:
        assert not good
    else:
        assert good
