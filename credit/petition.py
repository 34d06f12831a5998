"""Petition (申请): a request with people at it, folded from the ledger's entries. There is no other record of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType

from credit.actor import Actor
from credit.errors import Missing, Refused
from credit.ledger import Entry


class State(StrEnum):
    """Where a petition stands."""

    ASKED = "asked"
    GRANTED = "granted"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    REVOKED = "revoked"


MOVES: Mapping[tuple[State | None, str], State] = MappingProxyType(
    {
        (None, "asked"): State.ASKED,
        (State.ASKED, "granted"): State.GRANTED,
        (State.ASKED, "refused"): State.REFUSED,
        (State.ASKED, "withdrawn"): State.WITHDRAWN,
        (State.REFUSED, "asked"): State.ASKED,
        (State.WITHDRAWN, "asked"): State.ASKED,
        (State.GRANTED, "granted"): State.GRANTED,  # granted again: a roll-back to a version once granted
        (State.GRANTED, "revoked"): State.REVOKED,
        (State.REVOKED, "asked"): State.ASKED,
    }
)
"""From which state, by which verb, to which state. What is not here cannot happen."""


@dataclass(frozen=True, slots=True)
class Petition:
    """What the ledger says of one request."""

    kind: str
    object: str
    state: State
    asked_by: Actor
    asked_at: datetime
    decided_by: Actor | None
    decided_at: datetime | None


def fold(entries: Iterable[Entry], kind: str, thing: str) -> Petition | None:
    """The petition ``kind`` (as ``promotion``) about ``thing`` from entries of verbs ``<kind>.<move>``; None if none.

    A move out of turn in the ledger is ignored here: :func:`require_move` keeps writers from making one.
    """
    petition: Petition | None = None
    for entry in entries:
        prefix, _, move = entry.verb.partition(".")
        if prefix != kind or entry.object != thing:
            continue
        state = MOVES.get((petition.state if petition else None, move))
        if state is State.ASKED:
            petition = Petition(kind, thing, state, entry.by, entry.at, None, None)
        elif state is not None and petition is not None:
            petition = Petition(kind, thing, state, petition.asked_by, petition.asked_at, entry.by, entry.at)
    return petition


def require_move(petition: Petition | None, move: str, *, thing: str) -> State:
    """The state that ``move`` leads to; raises :class:`Missing` or :class:`Refused` when it is out of turn."""
    state = MOVES.get((petition.state if petition else None, move))
    if state is not None:
        return state
    if petition is None:
        raise Missing("petition.nobody-asked-for", thing=thing[:20])
    raise Refused("petition.cannot-be-now", thing=thing[:20], move=move, state=petition.state)
