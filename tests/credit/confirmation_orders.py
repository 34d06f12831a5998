"""Every order of moves on a request that takes two people, by everyone and at every time, against a plain model."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import product

from credit.actor import Actor
from credit.confirmation import Confirmation, fold_confirmations, request_details, rules_of
from credit.ledger import Entry
from credit.messages import Text

START = datetime.fromisoformat("2026-06-01T00:00:00+00:00")
HOURS, OBJECT = 24, "mandate-1"
RULES = rules_of({"mandate": {"requests": ["platform"], "confirms": ["platform"], "people": 2, "hours": HOURS}})
PEOPLE = ("platform:bo", "city:bo", "platform:cy", "reviewer:cy", "platform:dan")
MOVES = ("requested", "confirmed", "refused", "withdrawn")
EVENTS = (*(f"{move} {by}" for move, by in product(MOVES, PEOPLE)), "wait -", "remove bo", "remove cy")


@dataclass(frozen=True)
class ConfirmationModel:
    """What is true now: who requested, when, how it ended, who was removed, and the hours that passed."""

    state: str = ""
    by: str = ""
    since: float = 0
    hour: float = 0
    removed: frozenset[str] = frozenset()

    def after(self, event: str) -> ConfirmationModel:
        what, who = event.split()
        now = replace(self, hour=self.hour + 0.001)
        if what == "wait":
            return replace(now, hour=now.hour + HOURS)
        if what == "remove":
            return replace(now, removed=now.removed | {who})
        role, name = who.split(":")
        open_now = now.state == "requested" and now.hour < now.since + HOURS
        works = role == "platform" and name not in now.removed
        if what == "requested":
            allowed = works and not open_now
            return replace(now, state="requested", by=name, since=now.hour) if allowed else now
        if what == "withdrawn":
            return replace(now, state="withdrawn") if open_now and name == now.by else now
        allowed = open_now and works and name != now.by
        if what == "confirmed":
            allowed = allowed and now.by not in now.removed
        return replace(now, state=what) if allowed else now


def differences(depth: int) -> Iterator[tuple[tuple[str, ...], str]]:
    """Each order of at most ``depth`` events after a request, with what differs from the model; empty when nothing."""
    first = "requested platform:bo"
    pending = [((first,), ConfirmationModel().after(first))]
    while pending:
        order, model = pending.pop()
        for event in EVENTS:
            one, expected = (*order, event), model.after(event)
            state = _folded_state(one)
            yield one, "" if state == expected.state else f"{one}: {state}, the model {expected.state}"
            if len(one) <= depth:
                pending.append((one, expected))


def _folded_state(order: tuple[str, ...]) -> str:
    entries: list[Entry] = []
    removed: dict[str, datetime] = {}
    moment = START
    for number, event in enumerate(order):
        what, who = event.split()
        moment += timedelta(hours=0.001)
        if what == "wait":
            moment += timedelta(hours=HOURS)
        elif what == "remove":
            removed.setdefault(who, moment)
        else:
            details = request_details("mandate", RULES) if what == "requested" else {}
            entries.append(Entry(number, moment, Actor.parse(who), f"mandate.{what}", OBJECT, details, "", ""))

    def objection(confirmation: Confirmation, person: Actor, at: datetime) -> Text | None:
        return Text.verbatim("removed") if removed.get(person.name, at + timedelta(1)) <= at else None

    result = fold_confirmations(entries, "mandate", objection=objection).get(OBJECT)
    return str(result.state) if result else ""
