"""Only what the desk wrote is a request, and only the zone whose turn it is moves it, in whatever order one reads."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credit.actor import Actor, Role
from credit.ledger.entry import Entry
from credit.requests.request import CANCELLED, CONFIRMED, MADE, STEP_DONE, STEP_FAILED, Stage
from credit.requests.request_states import RequestStates
from credit.requests.state_reader import ZONES

NAME = f"request-{1:032x}"
MAKER, OTHER = Actor("chen", Role.CITY), Actor("petra", Role.PLATFORM)
FLOW = ("custody", "compute", "platform")  # of a repair


def entry(move: str, by: Actor = MAKER, id: str = "", **details: Any) -> Entry:
    return Entry(1, datetime.now(UTC), by, move, NAME, details, "", id)


def made(confirm: bool = False) -> Entry:
    return entry(
        MADE, id="made", verb="repair", arguments={}, private="", confirm=confirm, factor="totp",
        deadline="2099-01-01T00:00:00+00:00", today="",
    )  # fmt: skip


def steps() -> list[tuple[str, Entry]]:
    before = ("made", "0", "1")
    return [
        (zone, entry(STEP_DONE, id=str(number), step=number, after=before[number], result={"by": zone}))
        for number, zone in enumerate(FLOW)
    ]


@given(st.permutations([("desk", made()), *steps()]))
def test_the_order_in_which_ledgers_are_read_does_not_matter(entries: list[tuple[str, Entry]]) -> None:
    states = RequestStates()
    for zone, each in entries:
        states.listener(zone)(each)
    state = states.get(NAME)
    assert state is not None
    assert (state.stage, [each["by"] for each in state.results]) == (Stage.DONE, list(FLOW))


@given(
    st.lists(
        st.tuples(
            st.sampled_from(ZONES),
            st.sampled_from((MADE, STEP_DONE, STEP_FAILED, CANCELLED, CONFIRMED)),
            st.integers(-1, 4),
            st.sampled_from(("", "made", "0", "1", "other")),
        ),
        max_size=12,
    )
)
def test_what_a_zone_writes_out_of_turn_moves_nothing(forged: list[tuple[str, str, int, str]]) -> None:
    states = RequestStates()
    states.listener("desk")(made())
    for zone, verb, step, after in forged:
        turn = states.get(NAME)
        assert turn is not None
        rightful = zone == turn.zone and step == turn.step and after == turn.turn and verb != MADE
        if not rightful and not (zone == "desk" and verb in (CANCELLED, CONFIRMED)):
            before = (turn.stage, turn.step)
            states.listener(zone)(entry(verb, step=step, after=after, result={}))
            assert (turn.stage, turn.step) == before


@given(st.permutations([("custody", 0), ("compute", 1), ("platform", 2)]), st.booleans())
def test_a_step_counts_neither_before_its_confirmation_nor_after_a_cancellation(
    order: list[tuple[str, int]], is_cancelled: bool
) -> None:
    states = RequestStates()
    states.listener("desk")(made(confirm=not is_cancelled))
    if is_cancelled:
        states.listener("desk")(entry(CANCELLED))
    for zone, step in order:
        for after in ("made", "", "0", "1"):
            states.listener(zone)(entry(STEP_DONE, step=step, after=after, result={}))
            states.listener(zone)(entry(STEP_FAILED, step=step, after=after))
    state = states.get(NAME)
    assert state is not None
    assert state.stage is (Stage.CANCELLED if is_cancelled else Stage.UNCONFIRMED)
    if not is_cancelled:
        states.listener("desk")(entry(CONFIRMED, OTHER, id="confirmed"))
        assert (state.stage, state.step) == (Stage.OPEN, 0)


@pytest.mark.parametrize(
    "wrong", [{"step": False}, {"step": 0.0}, {"result": "text"}, {"result": [1]}, {"result": None}]
)
def test_a_step_of_another_form_moves_nothing(wrong: dict[str, Any]) -> None:
    states = RequestStates()
    states.listener("desk")(made())
    states.listener("custody")(entry(STEP_DONE, **{"step": 0, "after": "made", "result": {}, **wrong}))
    state = states.get(NAME)
    assert state is not None
    assert (state.stage, state.step) == (Stage.OPEN, 0)


def test_a_request_that_another_zone_wrote_is_none() -> None:
    for zone in ZONES:
        states = RequestStates()
        states.listener(zone)(made())
        assert (states.get(NAME) is not None) == (zone == "desk")


def test_a_request_that_is_to_be_confirmed_waits_for_another_person() -> None:
    states = RequestStates()
    states.listener("desk")(made(confirm=True))
    state = states.get(NAME)
    assert state is not None
    assert (state.stage, state.zone) == (Stage.UNCONFIRMED, "")
    for by in (MAKER, Actor("chen", Role.PLATFORM), Actor("rita", Role.REVIEWER)):
        states.listener("desk")(entry(CONFIRMED, by))
        assert state.stage is Stage.UNCONFIRMED
    states.listener("custody")(entry(CONFIRMED, OTHER))
    assert state.stage is Stage.UNCONFIRMED
    states.listener("desk")(entry(CONFIRMED, OTHER))
    assert (state.stage, state.zone) == (Stage.OPEN, "custody")
