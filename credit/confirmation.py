"""Confirmation by a second person (双人复核): one person requests a change, another confirms or refuses it.

The rules are data, and what has no rule cannot be requested. :func:`after_move` is the only place that decides whether
a move is allowed: a writer calls it before it appends an entry, and :func:`fold_confirmations` calls it for every entry
that it reads, so that an entry written past the writer changes nothing.

::

    <kind>.requested   <object>  {act, rule, …}   one person asks; a rule of one person confirms at once
    <kind>.confirmed   <object>                   another person; the last of the people that the rule needs decides
    <kind>.refused     <object>                   another person who might have confirmed
    <kind>.withdrawn   <object>                   the person who asked

People are compared by name: ``reviewer:bo`` and ``platform:bo`` are one person. At the moment of the decision every
person who counts must still count, which `objection` says: for a requester or an earlier confirmer whose account was
removed meanwhile, the request cannot be confirmed with them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from credit.actor import Actor, Role
from credit.errors import CreditError, Lapsed, Malformed, Missing, Refused
from credit.ledger.entry import Entry
from credit.messages import Text


class ConfirmationState(StrEnum):
    """How far a request is."""

    REQUESTED = "requested"  # 待复核
    CONFIRMED = "confirmed"  # 已复核
    REFUSED = "refused"  # 已拒绝
    WITHDRAWN = "withdrawn"  # 已撤回
    LAPSED = "lapsed"  # 已失效: no decision came in time


class Move(StrEnum):
    """What a person does to a request: the part of the verb after the dot."""

    REQUEST = "requested"
    CONFIRM = "confirmed"
    REFUSE = "refused"
    WITHDRAW = "withdrawn"


@dataclass(frozen=True, slots=True)
class ConfirmationRule:
    """Who may request and confirm one act, how many people it takes in all, and for how long a request waits."""

    requests: frozenset[Role]
    confirms: frozenset[Role]
    people: int
    span: timedelta

    @classmethod
    def parse(cls, data: Mapping[str, Any]) -> ConfirmationRule:
        """Read ``{requests: [roles], confirms: [roles], people, hours}``; raises :class:`Malformed`."""
        try:
            requests, confirms = (frozenset(map(Role, data[name])) for name in ("requests", "confirms"))
            people, hours = data["people"], data["hours"]
        except (KeyError, TypeError, ValueError):
            raise Malformed("confirmation.not-a-rule") from None
        numbers = type(people) is int and type(hours) is int and people >= 1 and hours >= 1
        if len(data) != 4 or not numbers or not requests or (people > 1 and not confirms):
            raise Malformed("confirmation.not-a-rule")
        return cls(requests, confirms, people, timedelta(hours=hours))

    def as_json(self) -> dict[str, Any]:
        """The rule as plain values, which the entry of a request keeps: a later policy does not change its decision."""
        hours = self.span // timedelta(hours=1)
        return {"requests": sorted(self.requests), "confirms": sorted(self.confirms), "people": self.people,
                "hours": hours}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Confirmation:
    """One request as recorded in a ledger. ``ended_by`` and ``ended_at``: who decided or withdrew it, and when."""

    object: str
    act: str
    rule: ConfirmationRule
    requested_by: Actor
    requested_at: datetime
    state: ConfirmationState = ConfirmationState.REQUESTED
    confirmed_by: tuple[Actor, ...] = ()
    ended_by: Actor | None = None
    ended_at: datetime | None = None
    details: Mapping[str, Any] = field(default_factory=dict)

    @property
    def people(self) -> tuple[Actor, ...]:
        """The requester and those who confirmed."""
        return (self.requested_by, *self.confirmed_by)

    def state_at(self, moment: datetime) -> ConfirmationState:
        """The state at a moment: a request without a decision lapses at the end of its span."""
        waiting = self.state is ConfirmationState.REQUESTED
        return ConfirmationState.LAPSED if waiting and moment >= self.requested_at + self.rule.span else self.state


Objection = Callable[[Confirmation, Actor, datetime], Text | None]
"""Why a person does not count for a request at a moment, as a message; None when they count."""


def no_objection(confirmation: Confirmation, person: Actor, moment: datetime) -> Text | None:
    """Every person of the right role counts: for a caller without a past to consult, as in a test."""
    return None


def rules_of(data: Mapping[str, Any]) -> Mapping[str, ConfirmationRule]:
    """The rules of a policy by act; raises :class:`Malformed` for one that is none."""
    return MappingProxyType({act: ConfirmationRule.parse(rule) for act, rule in data.items()})


def rule_of(rules: Mapping[str, ConfirmationRule], act: str) -> ConfirmationRule:
    """The rule of an act; raises :class:`Refused` for an act without a rule, since what is not allowed is denied."""
    if act not in rules:
        raise Refused("confirmation.no-rule", act=act[:60])
    return rules[act]


def request_details(act: str, rules: Mapping[str, ConfirmationRule], **details: Any) -> dict[str, Any]:
    """The details of the entry of a request for an act, with the rule that will decide it; raises :class:`Refused`."""
    return {**details, "act": act, "rule": rule_of(rules, act).as_json()}


def after_move(
    before: Confirmation | None,
    move: str,
    object_id: str,
    *,
    by: Actor,
    at: datetime,
    details: Mapping[str, Any],
    objection: Objection,
) -> Confirmation:
    """The request after a move of ``by``.

    Raises :class:`Missing` without a request, :class:`~credit.errors.Lapsed` after its span, :class:`Refused` for an
    ended request and a person who may not, and :class:`Malformed` for what is no move or no rule.
    """
    if move == Move.REQUEST:
        return _requested(before, object_id, by=by, at=at, details=details, objection=objection)
    if before is None:
        raise Missing("confirmation.no-request", thing=object_id[:60])
    _require_waiting(before, at)
    if move == Move.WITHDRAW:
        if by.name != before.requested_by.name:
            raise Refused("confirmation.not-yours", by=by)
        return replace(before, state=ConfirmationState.WITHDRAWN, ended_by=by, ended_at=at)
    if move not in (Move.CONFIRM, Move.REFUSE):
        raise Malformed("confirmation.not-a-move")
    require_second_person(before, by=by, at=at, objection=objection)
    if move == Move.REFUSE:
        return replace(before, state=ConfirmationState.REFUSED, ended_by=by, ended_at=at)
    counted = tuple(each for each in before.confirmed_by if objection(before, each, at) is None)
    after = replace(before, confirmed_by=(*counted, by))
    if len(after.people) < before.rule.people:
        return after
    why = objection(before, before.requested_by, at)
    if why is not None:
        raise Refused("confirmation.requester-does-not-count", why=why, requester=before.requested_by.name)
    return replace(after, state=ConfirmationState.CONFIRMED, ended_by=by, ended_at=at)


def require_second_person(confirmation: Confirmation, *, by: Actor, at: datetime, objection: Objection) -> None:
    """Raise :class:`Refused` unless this person may confirm or refuse the request at this moment."""
    if by.name in {each.name for each in confirmation.people}:
        raise Refused("confirmation.same-person", by=by)
    if by.role not in confirmation.rule.confirms:
        roles = ", ".join(sorted(confirmation.rule.confirms))
        raise Refused("confirmation.wrong-role", by=by, roles=roles)
    why = objection(confirmation, by, at)
    if why is not None:
        raise Refused("confirmation.does-not-count", why=why, by=by)


def fold_confirmations(
    entries: Iterable[Entry], kind: str, *, objection: Objection, moves: Mapping[str, Move] | None = None
) -> dict[str, Confirmation]:
    """The last request about each object, from the entries with verbs ``<kind>.…``; what was not allowed is ignored.

    `moves` gives the moves by the second part of the verb where a kind has words of its own.
    """
    named = moves or {move.value: move for move in Move}
    confirmations: dict[str, Confirmation] = {}
    for entry in entries:
        prefix, _, word = entry.verb.partition(".")
        if prefix != kind or word not in named:
            continue
        with suppress(CreditError):
            confirmations[entry.object] = after_move(
                confirmations.get(entry.object), named[word], entry.object,
                by=entry.by, at=entry.at, details=entry.details, objection=objection,
            )  # fmt: skip
    return confirmations


def _requested(
    before: Confirmation | None,
    object_id: str,
    *,
    by: Actor,
    at: datetime,
    details: Mapping[str, Any],
    objection: Objection,
) -> Confirmation:
    if before is not None and before.state_at(at) is ConfirmationState.REQUESTED:
        raise Refused("confirmation.waits-already", thing=object_id[:60], requester=before.requested_by.name)
    act, data = details.get("act"), details.get("rule")
    if not isinstance(act, str) or not isinstance(data, Mapping):
        raise Malformed("confirmation.not-a-rule")
    rule = ConfirmationRule.parse(data)
    if by.role not in rule.requests:
        raise Refused("confirmation.may-not-request", by=by, roles=", ".join(sorted(rule.requests)))
    requested = Confirmation(object_id, act, rule, by, at, details=details)
    why = objection(requested, by, at)
    if why is not None:
        raise Refused("confirmation.does-not-count", why=why, by=by)
    if rule.people == 1:
        return replace(requested, state=ConfirmationState.CONFIRMED, ended_by=by, ended_at=at)
    return requested


def _require_waiting(confirmation: Confirmation, at: datetime) -> None:
    state = confirmation.state_at(at)
    if state is ConfirmationState.LAPSED:
        raise Lapsed("confirmation.lapsed", thing=confirmation.object[:60])
    if state is not ConfirmationState.REQUESTED:
        raise Refused("confirmation.has-ended", thing=confirmation.object[:60])
