"""The states of requests: what the front desk wrote down, and what each zone did about it, folded from the ledgers.

A step counts only when the zone whose turn it is wrote it into its own ledger. A request counts only when it is in the
ledger of the desk: what another zone writes under the same verb is ignored.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from credit.actor import Actor
from credit.confirmation import (
    Confirmation,
    ConfirmationRule,
    ConfirmationState,
    Move,
    after_move,
    no_objection,
)
from credit.errors import CreditError
from credit.ledger.entry import Entry
from credit.requests.flows import FLOWS
from credit.requests.request import CANCELLED, CONFIRMED, MADE, STEP_DONE, STEP_FAILED, Request, Stage

DESK = "desk"
KEPT = 1_000
"""Ended requests that stay in memory; an older one is read from the ledgers when somebody asks for it."""


@dataclass(slots=True)
class RequestState:
    """A request and how far it is. ``results`` has one result a finished step."""

    request: Request
    results: list[Mapping[str, Any]] = field(default_factory=list)
    failure: Mapping[str, Any] | None = None
    confirmed_by: Actor | None = None
    cancelled: bool = False
    turn: str = ""  # the id of the entry that gave the next zone its turn; empty while no zone has it

    @property
    def stage(self) -> Stage:
        """How far it is."""
        if self.cancelled:  # the desk cancels what has not ended, so no step that it had not seen counts any more
            return Stage.CANCELLED
        if self.failure is not None:
            return Stage.FAILED
        if len(self.results) == len(self.request.flow.zones):
            return Stage.DONE
        return Stage.UNCONFIRMED if self.request.confirm and self.confirmed_by is None else Stage.OPEN

    @property
    def ended(self) -> bool:
        """True once no zone will do anything more about it."""
        return self.stage not in (Stage.OPEN, Stage.UNCONFIRMED)

    @property
    def step(self) -> int:
        """The number of the step whose turn it is, from 0."""
        return len(self.results)

    @property
    def zone(self) -> str:
        """The zone whose turn it is; empty when the request has ended."""
        return self.request.flow.zones[self.step] if self.stage is Stage.OPEN else ""


class RequestStates:
    """The requests of a lab by id. Feed it with followers: :meth:`listener` gives one listener a ledger."""

    def __init__(self) -> None:
        self._states: dict[str, RequestState] = {}
        self._early: dict[str, list[tuple[str, Entry]]] = {}  # steps read before their request or the step before them

    def listener(self, zone: str) -> Callable[[Entry], None]:
        """What to call with each entry of a zone's ledger."""

        def apply(entry: Entry) -> None:
            if entry.verb.startswith(("request.", "step.")):
                self._apply(zone, entry)

        return apply

    def get(self, request_id: str) -> RequestState | None:
        """The state of a request, or None when the desk has none of this id."""
        return self._states.get(request_id)

    def all(self) -> list[RequestState]:
        """Every request, the oldest first."""
        return list(self._states.values())

    def waiting_for(self, zone: str) -> list[RequestState]:
        """The requests whose next step is this zone's, the oldest first."""
        return [state for state in list(self._states.values()) if state.zone == zone]

    def state(self) -> Any:
        """The requests as JSON, for a checkpoint; without the steps that are :meth:`early`.

        Of the requests that have ended only the newest :data:`KEPT` are remembered from then on.
        """
        ended = [name for name, each in self._states.items() if each.ended]
        for name in ended[: max(0, len(ended) - KEPT)]:
            del self._states[name]
        return [_stored(each) for each in self._states.values()]

    def early(self) -> frozenset[str]:
        """The ids of the steps that were read before the entry that gave their zone its turn."""
        return frozenset(entry.id for waiting in self._early.values() for _, entry in waiting)

    def discard(self, steps: frozenset[str]) -> None:
        """Forget steps of these ids: the entry that they should have followed is in no ledger."""
        kept = {name: [each for each in waiting if each[1].id not in steps] for name, waiting in self._early.items()}
        self._early = {name: waiting for name, waiting in kept.items() if waiting}

    def restore(self, state: Any) -> None:
        """Continue from a state that :meth:`state` gave."""
        self._early.clear()
        self._states.clear()
        self._states.update({each["request"]["id"]: _restored(each) for each in state})

    def _apply(self, zone: str, entry: Entry) -> None:
        if zone == DESK and entry.verb == MADE:
            if entry.object not in self._states and entry.details.get("verb") in FLOWS:
                made = RequestState(Request.of(entry))
                made.turn = "" if made.request.confirm else entry.id
                self._states[entry.object] = made
                self._apply_early(entry.object)
            return
        state = self._states.get(entry.object)
        if zone == DESK and entry.verb == CANCELLED:
            if state is not None:
                state.cancelled = True
        elif zone == DESK and entry.verb == CONFIRMED:
            if state is not None and state.confirmed_by is None and _is_confirmed_by(state.request, entry):
                state.confirmed_by, state.turn = entry.by, entry.id
                self._apply_early(entry.object)
        elif entry.verb in (STEP_DONE, STEP_FAILED):
            self._early.setdefault(entry.object, []).append((zone, entry))
            self._apply_early(entry.object)

    def _apply_early(self, request_id: str) -> None:
        """Apply the steps of a request that can be applied now: ledgers are read one after another, in any order."""
        state = self._states.get(request_id)
        waiting = self._early.get(request_id, [])
        if state is None:
            return
        applied = True
        while applied and waiting:
            applied = False
            for number, (zone, entry) in enumerate(waiting):
                if _is_next(state, zone, entry):
                    del waiting[number]
                    if entry.verb == STEP_DONE:
                        state.results.append(entry.details["result"])
                        state.turn = entry.id
                    else:
                        state.failure = entry.details
                    applied = True
                    break
        if state.ended or not waiting:
            self._early.pop(request_id, None)  # what was written out of turn counts for nothing


def confirmation_of(request: Request) -> Confirmation:
    """The confirmation that a request waits for, by the mechanism that accounts and promotions use too."""
    flow = request.flow
    rule = ConfirmationRule(frozenset(flow.roles), frozenset(flow.confirmers), 2, request.deadline - request.at)
    return Confirmation(request.id, request.verb, rule, request.by, request.at)


def _is_confirmed_by(request: Request, entry: Entry) -> bool:
    """Whether an entry of the desk confirms a request; one that may not is ignored."""
    try:
        after = after_move(
            confirmation_of(request), Move.CONFIRM, request.id, by=entry.by, at=entry.at, details={},
            objection=no_objection,
        )  # fmt: skip
    except CreditError:
        return False
    return after.state is ConfirmationState.CONFIRMED


def _is_next(state: RequestState, zone: str, entry: Entry) -> bool:
    """Whether a step is that of the zone whose turn it is, written after the zone got its turn, in the right form."""
    ended = state.failure is not None or state.step == len(state.request.flow.zones)
    if ended or not state.turn or entry.details.get("after") != state.turn:
        return False
    step, result = entry.details.get("step"), entry.details.get("result")
    in_form = type(step) is int and (entry.verb == STEP_FAILED or isinstance(result, Mapping))
    return in_form and step == state.step and state.request.flow.zones[state.step] == zone


def _stored(state: RequestState) -> dict[str, Any]:
    return {
        "request": state.request.stored(),
        "results": [dict(each) for each in state.results],
        "failure": None if state.failure is None else dict(state.failure),
        "confirmed_by": str(state.confirmed_by) if state.confirmed_by else "",
        "cancelled": state.cancelled,
        "turn": state.turn,
    }


def _restored(data: Mapping[str, Any]) -> RequestState:
    by = data["confirmed_by"]
    rest = {**data, "request": Request.restored(data["request"]), "confirmed_by": Actor.parse(by) if by else None}
    return RequestState(**rest)
