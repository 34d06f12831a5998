"""The outcomes that banks reported, read by compute alone from the seals of the service.

Every line is accounted for: a line that is in two seals counts once, by its id, and one that a later report replaced
does not count as an event.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from credit.errors import Broken
from credit.messages import Text
from credit.seal import Kind
from credit.shelf import Shelf

FILE, FORM = "outcomes.jsonl", 1


@dataclass(frozen=True, slots=True, order=True)
class ReportedEvent:
    """An event of a loan on a day; ``days_overdue`` is 0 unless it is overdue."""

    happened_on: date
    event: str
    days_overdue: int


@dataclass(frozen=True, slots=True)
class ReportedLoans:
    """The events of each loan, in order, by the pseudonym (32 hex) of its subject; and how many lines were read."""

    of_subject: Mapping[str, tuple[tuple[ReportedEvent, ...], ...]]
    lines: int
    repeated: int
    replaced: int
    late: int

    def counts(self) -> dict[str, int]:
        """How the lines are accounted for."""
        events = sum(len(loan) for loans in self.of_subject.values() for loan in loans)
        counts = {"lines": self.lines, "events": events, "repeated": self.repeated, "replaced": self.replaced}
        return counts | {"late": self.late, "subjects": len(self.of_subject)}


NONE = ReportedLoans({}, 0, 0, 0, 0)
"""What is known where no bank has reported anything."""


def read_reported_loans(shelf: Shelf) -> ReportedLoans:
    """All that is in force on the service's shelf of outcomes. Raises Broken for a seal that does not verify."""
    rows: dict[str, dict[str, Any]] = {}
    lines = late = 0
    for seal in shelf.list(Kind.OUTCOMES):
        opened = shelf.open(seal.id)
        if seal.terms.get("form") != FORM:
            raise Broken("champion-report.outcomes-of-another-form", seal=Text.verbatim(seal.short))
        for line in (opened.path / FILE).read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            lines += 1
            late += int(row["late"]) if row["id"] not in rows else 0
            rows[row["id"]] = row
    replaced = {row["replaces"] for row in rows.values() if row["replaces"]} & set(rows)
    loans: dict[str, dict[str, list[ReportedEvent]]] = defaultdict(lambda: defaultdict(list))
    for name, row in rows.items():
        if name not in replaced:
            event = ReportedEvent(date.fromisoformat(row["happened_on"]), row["event"], int(row["days_overdue"]))
            loans[row["subject"]][row["loan"]].append(event)
    of_subject = {
        subject: tuple(tuple(sorted(events)) for _, events in sorted(by_loan.items()))
        for subject, by_loan in loans.items()
    }
    return ReportedLoans(of_subject, lines, lines - len(rows), len(replaced), late)
