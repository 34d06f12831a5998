"""The same key and body give the same answer, to the byte; another body is refused, and so is what was revoked."""

from __future__ import annotations

import asyncio
from typing import Any

from serving_world import PLATFORM, PURPOSE, codes

from serving.access import Access
from serving.mandates import revoke
from serving.repeats import Repeats

GOOD, OTHER = codes("enterprise", 2)


def ask(running: Any, key: str, mandate: str, code: str = GOOD, bank: str = "bohai") -> Any:
    headers = {"Authorization": f"Bearer {running.token(bank)}", "Idempotency-Key": key}
    return running.http.post("/v1/scores", json={"uscc": code, "purpose": PURPOSE, "mandate": mandate}, headers=headers)


def test_one_key_one_answer(running: Any) -> None:
    mandate = running.world.grant("bohai", GOOD).id
    first, again, new = ask(running, "k-1", mandate), ask(running, "k-1", mandate), ask(running, "k-2", mandate)
    assert first.content == again.content != new.content
    assert ask(running, "k-1", mandate, OTHER).status_code == 422
    assert ask(running, "", mandate).status_code == 422
    assert ask(running, "k" * 129, mandate).status_code == 422
    theirs = ask(running, "k-1", running.world.grant("jincheng", GOOD).id, bank="jincheng")
    assert theirs.json()["score_id"] != first.json()["score_id"]
    repeated = running.entries("score.repeated")
    assert [entry.object for entry in repeated] == [first.json()["score_id"]]


def test_a_key_does_not_outlive_its_mandate(running: Any) -> None:
    mandate = running.world.grant("bohai", GOOD).id
    assert ask(running, "k", mandate).status_code == 200
    access = Access(running.world.root / "access.db")
    revoke(access, mandate, by=PLATFORM, ledger=running.world.ledger)
    access.close()
    assert ask(running, "k", mandate).status_code == 403


def test_two_at_once_are_one_act_and_a_refusal_is_not_remembered() -> None:
    acts = []

    async def act() -> tuple[str, bytes]:
        acts.append(1)
        await asyncio.sleep(0)
        if len(acts) == 1:
            raise ValueError
        return f"id-{len(acts)}", b"body"

    async def all_() -> list[Any]:
        repeats = Repeats()
        both = await asyncio.gather(*(repeats.once("b", b"k", b"", act) for _ in range(2)), return_exceptions=True)
        return [*both, *(await asyncio.gather(*(repeats.once("b", b"k", b"", act) for _ in range(3))))]

    told = asyncio.run(all_())
    assert [type(one) for one in told[:2]] == [ValueError, ValueError]
    assert told[2:] == [("id-2", b"body", False), ("id-2", b"body", True), ("id-2", b"body", True)]
    assert len(acts) == 2
