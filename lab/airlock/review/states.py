"""Where a parcel stands, whose turn it is, and who may move it where (出域审查流程). What is not here cannot happen."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from credit.actor import Actor, Role
from credit.errors import Refused


class State(StrEnum):
    """Where a parcel stands."""

    SUBMITTED = "submitted"  # 已提交: nobody has voted
    HALF_REVIEWED = "half_reviewed"  # 一人已审: one reviewer has voted, the other does not know how
    QUESTIONED = "questioned"  # 待答复
    APPROVED = "approved"  # 已批准
    REFUSED = "refused"  # 已拒绝
    WITHDRAWN = "withdrawn"  # 已撤回
    RECEIVED = "received"  # 已领取: sealed in the outbox


class Turn(StrEnum):
    """Whose turn it is."""

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

_AUTHOR, _REVIEWER = frozenset({Role.RESEARCHER}), frozenset({Role.REVIEWER})

MOVES: Mapping[tuple[State | None, State], frozenset[Role]] = MappingProxyType(
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
"""(from, to) → the roles that may. A researcher here is always the author, a reviewer never is."""

PENDING = (State.SUBMITTED, State.HALF_REVIEWED, State.QUESTIONED, State.APPROVED)
LEFT_OR_PENDING = (*PENDING, State.RECEIVED)
"""What has left or may yet leave: what a later parcel is held against."""


def may_move(before: State | None, after: State, by: Actor, author: str) -> bool:
    """True when ``by`` may move a parcel of ``author`` so."""
    if by.role not in MOVES.get((before, after), frozenset()):
        return False
    return (by.name == author) == (by.role is Role.RESEARCHER)


def require_move(before: State | None, after: State, *, by: Actor, author: str) -> None:
    """Raise :class:`Refused` saying why ``by`` may not move the parcel so: the role, the person or the turn."""
    if may_move(before, after, by, author):
        return
    allowed = MOVES.get((before, after))
    if allowed is None:
        stands = f"it stands at {before}, and the turn is of {TURN[before]}" if before else "nobody has submitted it"
        raise Refused("states.parcel-cannot-become-now", why=stands, after_=after)
    by.require_role(*sorted(allowed), act=f"make a parcel {after}")
    if by.name == author:
        raise Refused("states.may-not-review-parcel", by=by)
    raise Refused("states.may-not-do-to-parcel", by=by)
