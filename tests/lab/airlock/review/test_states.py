"""Every transition between states is tested for every role, for the author and for another user."""

from __future__ import annotations

from itertools import product

import pytest

from credit.actor import Actor, Role
from credit.errors import Refused
from lab.airlock.review.states import (
    LEFT_OR_PENDING,
    PENDING,
    TRANSITIONS,
    TURN,
    State,
    Turn,
    is_allowed,
    require_transition,
)

A, R = "researcher", "reviewer"
WANTED = {  # from → {to: the role that may}
    None: {"submitted": A},
    "submitted": {"half_reviewed": R, "questioned": R, "withdrawn": A},
    "half_reviewed": {"approved": R, "refused": R, "questioned": R, "withdrawn": A},
    "questioned": {"submitted": A, "half_reviewed": A, "withdrawn": A},
    "approved": {"received": A, "withdrawn": A},
    "refused": {},
    "withdrawn": {},
    "received": {},
}


@pytest.mark.parametrize(("before", "after", "role"), list(product([None, *State], State, Role)))
@pytest.mark.parametrize("name", ["author", "another"])
def test_only_the_moves_of_the_table_are_allowed(before: State | None, after: State, role: Role, name: str) -> None:
    allowed = WANTED[before].get(after) == role and (name == "author") == (role is Role.RESEARCHER)
    actor = Actor(name, role)
    assert is_allowed(before, after, actor, "author") is allowed
    if allowed:
        require_transition(before, after, by=actor, author="author")
    else:
        with pytest.raises(Refused):
            require_transition(before, after, by=actor, author="author")


def test_every_state_has_a_turn_and_only_final_states_have_none() -> None:
    ended = {state for state in State if not any(before is state for before, _ in TRANSITIONS)}
    assert {state for state, turn in TURN.items() if turn is Turn.NONE} == ended
    assert set(TURN) == set(State)
    assert set(PENDING) | {State.RECEIVED} == set(LEFT_OR_PENDING)


def test_every_state_can_be_reached() -> None:
    reached: set[State | None] = {None}
    for _ in State:
        reached |= {after for before, after in TRANSITIONS if before in reached}
    assert reached == {None, *State}
