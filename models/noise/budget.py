"""The budget of privacy loss (隐私预算): what was spent is in the ledger, before anything is drawn.

Losses add up (basic composition): who holds results of epsilon 1 and 2 knows no more than from one of 3. So a
project, an author and all together have a bound, each over a number of days after which the data behind is old. An
order is paid for once: when a kill comes after the entry, the next attempt finds it paid, since no draw was shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from credit.actor import Actor
from credit.errors import Refused
from credit.ledger import Entry, Ledger, LookUp
from credit.messages import Text

SPENT = "noise.spent"


@dataclass(frozen=True, slots=True)
class Loss:
    """A privacy loss: ``epsilon``, and ``delta``, the probability with which it may be larger."""

    epsilon: float
    delta: float

    def __add__(self, other: Loss) -> Loss:
        return Loss(self.epsilon + other.epsilon, self.delta + other.delta)

    def within(self, most: Loss) -> bool:
        """Whether neither part is larger than that of ``most``; sums of decimals may be a rounding above."""
        return self.epsilon <= most.epsilon * (1 + 1e-9) and self.delta <= most.delta * (1 + 1e-9)


NOTHING = Loss(0.0, 0.0)
_ACCOUNTS = {
    "author": Text.of("noise.account-author"),
    "project": Text.of("noise.account-project"),
    "everyone": Text.of("noise.account-everyone"),
}


@dataclass(frozen=True, slots=True)
class Bounds:
    """The largest loss within ``days`` days: of an author or a project, and of ``everyone`` together."""

    each: Loss
    everyone: Loss
    days: int


@dataclass(frozen=True, slots=True)
class NoiseBudget:
    """What was spent, in a ledger. Its caller holds the lock under which results are judged one at a time."""

    ledger: Ledger
    bounds: Bounds

    def spend(self, order: str, loss: Loss, *, project: str, by: Actor, today: date) -> Mapping[str, float]:
        """Enter a loss; the evidence says what is left. Raises :class:`Refused` when a bound would be passed."""
        earlier = [each for each in self._since(today) if each.object != order]
        if any(entry.verb == SPENT for entry in self.ledger.about(order)):
            return self._left(earlier, loss, project, by)
        for name, entries, most in self._accounts(earlier, project, by):
            if not (sum(map(_loss, entries), NOTHING) + loss).within(most):
                raise Refused(
                    "noise.spent",
                    account=_ACCOUNTS[name],
                    most=f"{most.epsilon:g}",
                    spent=f"{sum(map(_loss, entries), NOTHING).epsilon:g}",
                    day=min((_day(each) for each in entries), default=today) + timedelta(days=self.bounds.days),
                )
        details = {"project": project, "epsilon": loss.epsilon, "delta": loss.delta, "day": today.isoformat()}
        self.ledger.append(SPENT, order, by=by, details=details)
        return self._left(earlier, loss, project, by)

    def _accounts(self, entries: list[Entry], project: str, by: Actor) -> list[tuple[str, list[Entry], Loss]]:
        return [
            ("author", [each for each in entries if each.by.name == by.name], self.bounds.each),
            ("project", [each for each in entries if each.details["project"] == project], self.bounds.each),
            ("everyone", entries, self.bounds.everyone),
        ]

    def _left(self, earlier: list[Entry], loss: Loss, project: str, by: Actor) -> dict[str, float]:
        return {
            f"left_{name}": round(most.epsilon - sum(map(_loss, entries), loss).epsilon, 9)
            for name, entries, most in self._accounts(earlier, project, by)
        }

    def _since(self, today: date) -> list[Entry]:
        begin = today - timedelta(days=self.bounds.days)
        return [entry for entry in self.ledger.find(LookUp(verb=SPENT)) if _day(entry) > begin]


def _loss(entry: Entry) -> Loss:
    return Loss(float(entry.details["epsilon"]), float(entry.details["delta"]))


def _day(entry: Entry) -> date:
    day: Any = entry.details["day"]
    return date.fromisoformat(day)
