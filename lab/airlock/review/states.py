"""The states of a parcel, whose turn it is, and who may make which transition (出域审查流程)."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from credit.actor import Actor, Role
from credit.errors import Refused
from credit.messages import Text


class State(StrEnum):
    """The state of a parcel."""

    SUBMITTED = "submitted"  # 已提交: no reviewer has voted
    HALF_REVIEWED = "half_reviewed"  # 一人已审: one reviewer has voted, and the vote is secret
    QUESTIONED = "questioned"  # 待答复
    APPROVED = "approved"  # 已批准
    REFUSED = "refused"  # 已拒绝
    WITHDRAWN = "withdrawn"  # 已撤回
    RECEIVED = "received"  # 已领取: sealed in the outbox


class Turn(StrEnum):
    """The party that has to act next."""

    REVIEWERS = "reviewers"
    AUTHOR = "author"
    NONE = "nobody"


TURN: Mapping[State, Turn] = MappingProxyType(
    {
        State.SUBMITTED: Turn.REVIEWERS,
        State.HALF_REVIEWED: Turn.REVIEWERS,
        State.QUESTIONED: Turn.AUTHOR,
        State.APPROVED: Turn.AUTHOR,
        State.REFUSED: Turn.NONE,
        State.WITHDRAWN: Turn.NONE,
        State.RECEIVED: Turn.NONE,
    }
)

_STATES = {
    State.SUBMITTED: Text.of("states.submitted"),
    State.HALF_REVIEWED: Text.of("states.half-reviewed"),
    State.QUESTIONED: Text.of("states.questioned"),
    State.APPROVED: Text.of("states.approved"),
    State.REFUSED: Text.of("states.refused"),
    State.WITHDRAWN: Text.of("states.withdrawn"),
    State.RECEIVED: Text.of("states.received"),
}
_TURNS = {
    Turn.REVIEWERS: Text.of("states.turn-reviewers"),
    Turn.AUTHOR: Text.of("states.turn-author"),
    Turn.NONE: Text.of("states.turn-nobody"),
}
_AUTHOR, _REVIEWER = frozenset({Role.RESEARCHER}), frozenset({Role.REVIEWER})

TRANSITIONS: Mapping[tuple[State | None, State], frozenset[Role]] = MappingProxyType(
    {
        (None, State.SUBMITTED): _AUTHOR,
        (State.SUBMITTED, State.HALF_REVIEWED): _REVIEWER,
        (State.HALF_REVIEWED, State.APPROVED): _REVIEWER,
        (State.HALF_REVIEWED, State.REFUSED): _REVIEWER,
        (State.SUBMITTED, State.QUESTIONED): _REVIEWER,
        (State.HALF_REVIEWED, State.QUESTIONED): _REVIEWER,
        (State.QUESTIONED, State.SUBMITTED): _AUTHOR,
        (State.QUESTIONED, State.HALF_REVIEWED): _AUTHOR,
        (State.SUBMITTED, State.WITHDRAWN): _AUTHOR,
        (State.HALF_REVIEWED, State.WITHDRAWN): _AUTHOR,
        (State.QUESTIONED, State.WITHDRAWN): _AUTHOR,
        (State.APPROVED, State.WITHDRAWN): _AUTHOR,
        (State.APPROVED, State.RECEIVED): _AUTHOR,
    }
)
"""(from, to) → the roles that may make the transition. A researcher must be the author, a reviewer must not."""

PENDING = (State.SUBMITTED, State.HALF_REVIEWED, State.QUESTIONED, State.APPROVED)
LEFT_OR_PENDING = (*PENDING, State.RECEIVED)
"""States of parcels that have left or may still leave: later parcels are compared with their tables."""


def is_allowed(before: State | None, after: State, by: Actor, author: str) -> bool:
    """True when ``by`` may make this transition with a parcel of ``author``; ``before`` is None for a submission."""
    if by.role not in TRANSITIONS.get((before, after), frozenset()):
        return False
    return (by.name == author) == (by.role is Role.RESEARCHER)


def require_transition(before: State | None, after: State, *, by: Actor, author: str) -> None:
    """Raise :class:`Refused` when ``by`` may not make this transition: wrong state, wrong role or wrong person."""
    if is_allowed(before, after, by, author):
        return
    allowed = TRANSITIONS.get((before, after))
    if allowed is None:
        if before:
            why = Text.of("states.turn-of", state=_STATES[before], turn=_TURNS[TURN[before]])
        else:
            why = Text.of("states.not-submitted")
        raise Refused("states.parcel-cannot-become-now", why=why, after_=_STATES[after])
    by.require_role(*sorted(allowed), act=Text.of("act.make-parcel", state=_STATES[after]))
    if by.name == author:
        raise Refused("states.may-not-review-parcel", by=by)
    raise Refused("states.may-not-do-to-parcel", by=by)
