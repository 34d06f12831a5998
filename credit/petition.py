"""Petition (申请): a request that a person decides, computed from the ledger's entries. It is stored nowhere else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType

from credit.actor import Actor
from credit.errors import Missing, Refused
from credit.ledger import Entry
from credit.messages import Text


class State(StrEnum):
    """The state of a petition."""

    REQUESTED = "asked"
    GRANTED = "granted"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    REVOKED = "revoked"


_WORDS = {
    State.REQUESTED: Text.of("petition.asked"),
    State.GRANTED: Text.of("petition.granted"),
    State.REFUSED: Text.of("petition.refused"),
    State.WITHDRAWN: Text.of("petition.withdrawn"),
    State.REVOKED: Text.of("petition.revoked"),
}

MOVES: Mapping[tuple[State | None, str], State] = MappingProxyType(
    {
        (None, "asked"): State.REQUESTED,
        (State.REQUESTED, "granted"): State.GRANTED,
        (State.REQUESTED, "refused"): State.REFUSED,
        (State.REQUESTED, "withdrawn"): State.WITHDRAWN,
        (State.REFUSED, "asked"): State.REQUESTED,
        (State.WITHDRAWN, "asked"): State.REQUESTED,
        (State.GRANTED, "granted"): State.GRANTED,  # granted again: a roll-back to a version granted earlier
        (State.GRANTED, "revoked"): State.REVOKED,
        (State.REVOKED, "asked"): State.REQUESTED,
    }
)
"""(state before, verb) -> state after. Any other combination is impossible."""


@dataclass(frozen=True, slots=True)
class Petition:
    """One request and its decision, as recorded in the ledger."""

    kind: str
    object: str
    state: State
    requested_by: Actor
    requested_at: datetime
    decided_by: Actor | None
    decided_at: datetime | None


def fold_petition(entries: Iterable[Entry], kind: str, object_id: str) -> Petition | None:
    """The petition ``kind`` (as ``promotion``) about an object, from the verbs ``<kind>.<move>``; None without entries.

    An impossible move in the ledger is ignored; :func:`require_move` stops writers from recording one.
    """
    petition: Petition | None = None
    for entry in entries:
        prefix, _, move = entry.verb.partition(".")
        if prefix != kind or entry.object != object_id:
            continue
        state = MOVES.get((petition.state if petition else None, move))
        if state is State.REQUESTED:
            petition = Petition(kind, object_id, state, entry.by, entry.at, None, None)
        elif state is not None and petition is not None:
            petition = Petition(
                kind, object_id, state, petition.requested_by, petition.requested_at, entry.by, entry.at
            )
    return petition


def require_move(petition: Petition | None, move: str, *, object_id: str) -> State:
    """The state after ``move``.

    Raises :class:`Missing` when there is no petition, :class:`Refused` when its state does not allow the move.
    """
    state = MOVES.get((petition.state if petition else None, move))
    if state is not None:
        return state
    if petition is None:
        raise Missing("petition.no-request", thing=object_id[:20])
    moved = _WORDS[State(move)] if move in set(State) else move
    raise Refused("petition.out-of-turn", thing=object_id[:20], move=moved, state=_WORDS[petition.state])
