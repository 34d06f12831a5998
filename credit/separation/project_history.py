"""Projects over time (课题沿革): who was a member when, and which projects requested the training of an order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from credit.ledger.entry import Entry
from credit.separation.span import Span, values_within


@dataclass(frozen=True, slots=True)
class OrderPlacement:
    """One request of a project to train an order."""

    project: str
    by: str
    at: datetime


@dataclass(slots=True)
class ProjectHistory:
    """Folded from the verbs ``project.…`` and ``training.asked`` of the research ledger."""

    members: dict[str, list[tuple[datetime, frozenset[str]]]] = field(default_factory=dict)
    orders: dict[str, list[OrderPlacement]] = field(default_factory=dict)

    @classmethod
    def of(cls, entries: Iterable[Entry]) -> ProjectHistory:
        """The history that the entries of a research ledger amount to."""
        history = cls()
        for entry in entries:
            history.apply(entry)
        return history

    def apply(self, entry: Entry) -> None:
        """Apply an entry of the research ledger."""
        if entry.verb == "project.members":
            name = entry.object.removeprefix("project-")
            self.members.setdefault(name, []).append((entry.at, frozenset(map(str, entry.details["members"]))))
        elif entry.verb == "training.asked":
            placement = OrderPlacement(str(entry.details.get("project", "")), entry.by.name, entry.at)
            self.orders.setdefault(entry.object, []).append(placement)

    def was_member(self, name: str, project: str, span: Span) -> bool:
        """True when a name was a member of a project at some moment of a span."""
        return any(name in members for members in values_within(self.members.get(project, ()), span))

    def placements(self, orders: Iterable[str]) -> list[OrderPlacement]:
        """Every request to train one of these orders."""
        return [placement for order in orders for placement in self.orders.get(order, ())]


def in_time(entries: Iterable[Entry]) -> Iterator[Entry]:
    """The entries of one ledger in its order, none earlier than the one before it.

    A ledger's order is certain and a machine's clock can be set back: what came later in the ledger was later.
    """
    latest: datetime | None = None
    for entry in entries:
        latest = entry.at if latest is None else max(latest, entry.at)
        yield entry if entry.at == latest else entry._replace(at=latest)
