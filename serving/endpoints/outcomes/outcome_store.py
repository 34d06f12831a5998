"""The outcomes in the store: judged and inserted in one transaction, sealed once their entry is durable."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from credit.errors import CreditError, Malformed
from serving.endpoints.outcomes.outcome_rules import LoanEvent, repetition_of
from serving.store.store import Store, statement
from serving.store.transaction import Transaction

_COLUMNS = (
    "id, bank, loan, subject, event, happened_on, days_overdue, received_on, late, replaces, replaced_by, "
    "report, entry, sealed"
)
_INSERT = f"INSERT INTO outcome ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, '', ?, '', '')"
_OF_LOAN = (
    "SELECT id, subject, event, happened_on, days_overdue FROM outcome WHERE loan = ? AND replaced_by = '' "
    "ORDER BY happened_on, id"
)
_COUNT_LOAN = (
    "INSERT INTO outcome_loan (loan, reports) VALUES (?, 1) "
    "ON CONFLICT (loan) DO UPDATE SET reports = outcome_loan.reports + 1"
)
_UNSEALED = (
    "SELECT id, bank, loan, subject, event, happened_on, days_overdue, received_on, late, replaces FROM outcome "
    "WHERE sealed = '' AND entry <> '' ORDER BY id LIMIT ?"
)


@dataclass(frozen=True, slots=True)
class ReportedEvent:
    """An event whose mandate allows it: ``bank``, the pseudonym of the ``loan``, and what it ``replaces`` or ""."""

    bank: str
    loan: str
    event: LoanEvent
    late: bool
    replaces: str


@dataclass(frozen=True, slots=True)
class EventResult:
    """``id`` is that of the stored event, also for one that was reported before; a refusal has its ``fault``."""

    id: str = ""
    is_repeated: bool = False
    late: bool = False
    fault: CreditError | None = None


def judge_and_insert(report: str, events: Sequence[ReportedEvent], today: date) -> Callable[[Transaction], Any]:
    """The act that judges each event against what is stored of its loan, and inserts those that fit.

    The row of a loan is written first: of two processes that report of one loan, the second waits for the first.
    """

    def act(transaction: Transaction) -> list[EventResult]:
        for loan in sorted({each.loan for each in events}):  # in one order, so that no two processes wait in a circle
            transaction.rows(_COUNT_LOAN, loan)
        return [_judge(transaction, report, each, today) for each in events]

    return act


def mark_recorded(report: str, entry: str) -> Callable[[Transaction], Any]:
    """The act that gives the events of a report to the sealing: their entry is durable."""
    return statement("UPDATE outcome SET entry = ? WHERE report = ?", entry, report)


def unsealed(store: Store, most: int) -> list[dict[str, Any]]:
    """Events whose entry is durable and that no seal has, at most so many, as the seal is to hold them."""
    names = ("id", "bank", "loan", "subject", "event", "happened_on", "days_overdue", "received_on", "late", "replaces")
    return [dict(zip(names, row, strict=True)) for row in store.query(statement(_UNSEALED, most))]


def are_all_sealed(store: Store) -> bool:
    """Whether nothing waits for the sealing."""
    return not unsealed(store, 1)


def mark_sealed(store: Store, ids: Iterable[str], seal: str) -> None:
    """Record in which seal the events are."""

    def act(transaction: Transaction) -> None:
        for each in ids:
            transaction.rows("UPDATE outcome SET sealed = ? WHERE id = ?", seal, each)

    store.run(act)


def _judge(transaction: Transaction, report: str, new: ReportedEvent, today: date) -> EventResult:
    event = new.event
    stored = transaction.rows("SELECT late FROM outcome WHERE id = ?", event.id)
    if stored:  # by this very request, before its process was killed
        return EventResult(event.id, late=bool(stored[0][0]))
    earlier = [
        LoanEvent(str(id), str(subject), str(name), date.fromisoformat(str(day)), int(days))
        for id, subject, name, day, days in transaction.rows(_OF_LOAN, new.loan)
    ]
    try:
        if new.replaces:
            if new.replaces not in {each.id for each in earlier}:
                raise Malformed("outcomes.nothing-to-replace")
            earlier = [each for each in earlier if each.id != new.replaces]
            _require_rest(earlier, event)
        same = repetition_of(event, earlier)
    except CreditError as fault:
        return EventResult(fault=fault)
    if same is not None:
        # A process that was killed before its entry leaves a row that waits for one: it gets that of this report.
        transaction.rows("UPDATE outcome SET report = ? WHERE id = ? AND entry = ''", report, same.id)
        return EventResult(same.id, is_repeated=True)
    transaction.rows(
        _INSERT, event.id, new.bank, new.loan, event.subject, event.event, event.happened_on.isoformat(),
        event.days_overdue, today.isoformat(), int(new.late), new.replaces, report,
    )  # fmt: skip
    if new.replaces:
        transaction.rows("UPDATE outcome SET replaced_by = ? WHERE id = ?", event.id, new.replaces)
    return EventResult(event.id, late=new.late)


def _require_rest(earlier: Sequence[LoanEvent], event: LoanEvent) -> None:
    """Raise Malformed unless the events that stay fit together with the new one in the place of the replaced one."""
    course: list[LoanEvent] = []
    for each in sorted([*earlier, event], key=lambda one: (one.happened_on, _ORDER[one.event])):
        repetition_of(each, course)
        course.append(each)


_ORDER = {name: place for place, name in enumerate(("granted", "drawn", "overdue", "written_off", "settled"))}
