"""Entries that wait together share one durable write, each answer leaves after its own, a fault reaches its caller."""

from __future__ import annotations

import asyncio
import fcntl
from typing import Any

import pytest
from serving_world import codes

from credit.actor import Actor
from credit.errors import Broken
from serving.audit.group_commit import GroupCommitWriter
from serving.audit.journal import Journal

BANK = Actor.parse("bank:bohai")


def test_entries_that_wait_together_are_one_write_and_all_are_there(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []
    real = Journal.write

    def counted(self: Journal, acts: Any, **more: Any) -> Any:
        sizes.append(len(acts))
        return real(self, acts, **more)

    monkeypatch.setattr(Journal, "write", counted)
    before = world.ledger.verify()
    recorder = GroupCommitWriter(world.journal)

    async def all_at_once() -> list[str]:
        acts = (recorder.record("score.answered", str(n), by=BANK, details={}) for n in range(500))
        entries = await asyncio.gather(*acts)
        return [entry.object for entry in entries]

    assert asyncio.run(all_at_once()) == [str(n) for n in range(500)]
    recorder.close()
    assert sum(sizes) == 500
    assert len(sizes) == 2  # 256 and the rest
    assert world.ledger.verify() == before + 500


def test_an_entry_is_durable_before_it_is_returned(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[int] = []
    real = Journal.sync

    def seen(self: Journal) -> None:
        real(self)
        synced.append(self.path.stat().st_size)

    monkeypatch.setattr(Journal, "sync", seen)
    recorder = GroupCommitWriter(world.journal)

    async def one() -> int:
        await recorder.record("score.answered", "x", by=BANK, details={})
        return len(synced)

    assert [asyncio.run(one()) for _ in range(3)] == [1, 2, 3]
    recorder.close()
    assert synced[2] == world.ledger.path.stat().st_size


def test_closing_writes_what_is_queued(world: Any) -> None:
    before = world.ledger.verify()
    recorder = GroupCommitWriter(world.journal)

    async def record_and_close() -> None:
        for number in range(20):
            tasks.append(asyncio.create_task(recorder.record("score.answered", str(number), by=BANK, details={})))
        await asyncio.sleep(0)
        recorder.close()

    tasks: list[asyncio.Task[Any]] = []
    asyncio.run(record_and_close())
    assert world.ledger.verify() == before + 20
    with pytest.raises(Broken):
        asyncio.run(recorder.record("score.answered", "late", by=BANK, details={}))


def test_a_write_that_meets_another_process_at_the_ledger_is_tried_again(world: Any) -> None:
    recorder, stream = GroupCommitWriter(world.journal), world.ledger.path.open("ab")
    fcntl.flock(stream, fcntl.LOCK_EX)

    async def while_the_ledger_is_locked() -> tuple[bool, Any]:
        task = asyncio.create_task(recorder.record("score.answered", "x", by=BANK, details={}))
        await asyncio.sleep(0.05)
        waited = not task.done()  # and the loop went on turning
        fcntl.flock(stream, fcntl.LOCK_UN)
        return waited, await task

    waited, entry = asyncio.run(while_the_ledger_is_locked())
    recorder.close()
    stream.close()
    assert waited
    assert world.ledger.verify() == entry.seq


def test_a_ledger_that_cannot_be_written_is_reported_to_the_caller_and_to_readiness(world: Any) -> None:
    blocked = world.root / "blocked"
    blocked.write_bytes(b"a file where the ledger's folder would be")
    recorder = GroupCommitWriter(Journal(blocked / "ledger.jsonl", world.key("service"), world.ring))

    with pytest.raises(Broken, match="could not be written"):
        asyncio.run(recorder.record("score.answered", "x", by=BANK, details={}))
    with pytest.raises(Broken):
        recorder.require_writable()
    recorder.close()


def test_without_its_entry_no_answer_leaves(running: Any) -> None:
    code = codes("enterprise", 1)[0]
    mandate, token = running.world.grant("bohai", code).id, running.token()
    path = running.world.root / "ledger.jsonl"
    kept = path.read_bytes()
    path.write_bytes(kept[: len(kept) // 2])  # lines cut off the end, which the signed head shows
    response = running.score(code, mandate, token=token)
    assert response.status_code == 500
    assert "points" not in response.text
    assert running.http.get("/ready").status_code == 503
    path.write_bytes(kept)
    assert running.score(code, mandate, token=token).status_code == 200
    assert running.http.get("/ready").status_code == 200
