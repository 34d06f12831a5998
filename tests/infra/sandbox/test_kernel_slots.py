"""So many kernels run at once and no more; a further one waits in turn, is given up with words, and leaves no slot taken."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credit.errors import Refused
from infra.sandbox.bubblewrap import Limits
from infra.sandbox.kernel_slots import KernelSlots
from infra.sandbox.notices import Notices


def slots_of(most: int, **times: float) -> KernelSlots:
    return KernelSlots(most, Notices(Limits()), **times)


def kinds(slots: KernelSlots) -> list[str]:
    return [each["id"].split("-")[0] for each in slots.notices.current()]


async def turn() -> None:
    """Let what is ready run, however many steps it has."""
    for _ in range(10):
        await asyncio.sleep(0)


@given(st.integers(1, 3), st.lists(st.tuples(st.sampled_from(["ask", "end", "leave", "restart"]), st.integers(0, 5))))
def test_slots_are_given_in_turn_and_none_is_lost(most: int, acts: list[tuple[str, int]]) -> None:
    asyncio.run(_follow(most, acts))


async def _follow(most: int, acts: list[tuple[str, int]]) -> None:
    slots, requests = slots_of(most), dict[str, asyncio.Task[None]]()
    runs, waits = list[str](), list[str]()  # what must be
    for number, (act, which) in enumerate(acts):
        if act == "ask":
            name = str(number)
            requests[name] = asyncio.create_task(slots.take(name))
            waits.append(name)
        elif act == "leave" and waits:
            requests.pop(name := waits.pop(which % len(waits))).cancel()
        elif act == "end" and runs:
            slots.free(runs.pop(which % len(runs)))
        elif act == "restart" and runs:
            slots.keep_for_restart(name := runs[which % len(runs)])
            slots.free(name)
            await asyncio.wait_for(slots.take(name), 5)
        while waits and len(runs) < most:
            runs.append(waits.pop(0))
        await turn()
        assert {name for name, task in requests.items() if task.done()} >= set(runs)
        assert [name for name, task in requests.items() if not task.done()] == waits
        assert kinds(slots) == (["waiting"] if waits else ["kernels"] if len(runs) == most else [])
    for task in requests.values():
        task.cancel()


def test_who_waits_too_long_is_refused_in_words_and_takes_no_slot() -> None:
    async def check() -> None:
        slots = slots_of(1, wait=0.01)
        await slots.take("a")
        with pytest.raises(Refused, match="No kernel was started"):
            await slots.take("b")
        slots.free("a")
        assert not slots.are_occupied
        assert kinds(slots) == []

    asyncio.run(check())


def test_who_leaves_while_a_slot_is_given_frees_it() -> None:
    async def check() -> None:
        slots = slots_of(1)
        await slots.take("a")
        waits = asyncio.create_task(slots.take("b"))
        await turn()
        slots.free("a")  # given, and not yet received
        waits.cancel()
        await turn()
        assert not slots.are_occupied

    asyncio.run(check())


def test_the_slot_of_a_restart_that_does_not_come_goes_to_the_next() -> None:
    async def check() -> None:
        slots = slots_of(1, keep=0.01)
        await slots.take("a")
        slots.keep_for_restart("a")
        slots.free("a")
        assert slots.are_occupied, "no one else has it meanwhile"
        await asyncio.wait_for(slots.take("b"), 30)

    asyncio.run(check())


def test_a_client_that_goes_while_it_waits_is_given_nothing() -> None:
    async def check() -> None:
        slots = slots_of(1)
        assert await slots.take_before(asyncio.Event().wait(), "a")
        closed = asyncio.Event()
        waits = asyncio.create_task(slots.take_before(closed.wait(), "b"))
        await turn()
        assert kinds(slots) == ["waiting"]
        closed.set()
        assert not await waits
        await turn()
        assert kinds(slots) == ["kernels"]
        slots.free("a")
        assert not slots.are_occupied

    asyncio.run(check())
