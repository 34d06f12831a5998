"""Which events of one loan fit together, and which report is late, a repetition, or a contradiction.

The rules are those of a loan's course: it is granted once, drawn any number of times, may be overdue at many days, and
ends by being settled or written off; what was written off may still be settled.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from credit.errors import Malformed

GRANTED, DRAWN, OVERDUE, SETTLED, WRITTEN_OFF = EVENTS = ("granted", "drawn", "overdue", "settled", "written_off")
ONCE = frozenset({GRANTED, SETTLED, WRITTEN_OFF})
LATE_DAYS = 31  # a report after this many days is late: it is accepted, and counted apart
OLDEST_DAYS = 5 * 366  # adverse information may be used for five years (征信业管理条例 art. 16)


@dataclass(frozen=True, slots=True)
class LoanEvent:
    """An event of a loan, accepted or newly reported; ``days_overdue`` is 0 unless the event is overdue."""

    id: str
    subject: str
    event: str
    happened_on: date
    days_overdue: int = 0


def require_timely(event: LoanEvent, today: date) -> bool:
    """Whether the report is late. Raises Malformed for a day to come, one too long ago, or wrong days overdue."""
    if event.happened_on > today:
        raise Malformed("outcomes.day-to-come")
    if (today - event.happened_on).days > OLDEST_DAYS:
        raise Malformed("outcomes.too-long-ago", days=OLDEST_DAYS)
    if (event.event == OVERDUE) != (event.days_overdue > 0):
        raise Malformed("outcomes.days-overdue-belong-to-overdue")
    return today - event.happened_on > timedelta(days=LATE_DAYS)


def repetition_of(event: LoanEvent, earlier: Sequence[LoanEvent]) -> LoanEvent | None:
    """The accepted event that says the very same, or None. Raises Malformed when one contradicts the new event."""
    for each in earlier:
        if each.subject != event.subject:
            raise Malformed("outcomes.loan-of-another-subject")
        if (each.event, each.happened_on) == (event.event, event.happened_on):
            if each.days_overdue != event.days_overdue:
                raise Malformed("outcomes.another-number-of-days")
            return each
    _require_course(event, earlier)
    return None


def _require_course(event: LoanEvent, earlier: Sequence[LoanEvent]) -> None:
    days = {name: [each.happened_on for each in earlier if each.event == name] for name in EVENTS}
    if event.event in ONCE and days[event.event]:
        raise Malformed("outcomes.happens-once")
    day = event.happened_on
    if event.event == GRANTED:
        return
    if not days[GRANTED] or day < days[GRANTED][0]:
        raise Malformed("outcomes.not-yet-granted")
    if event.event != DRAWN and (not days[DRAWN] or day < min(days[DRAWN])):
        raise Malformed("outcomes.not-yet-drawn")
    if days[SETTLED] and day > days[SETTLED][0]:
        raise Malformed("outcomes.after-its-end")
    if days[WRITTEN_OFF] and event.event != SETTLED and day > days[WRITTEN_OFF][0]:
        raise Malformed("outcomes.after-its-end")
    if event.event == SETTLED and any(each.happened_on > day for each in earlier):
        raise Malformed("outcomes.ends-before-an-event")
    if event.event == WRITTEN_OFF and any(each.happened_on > day for each in earlier if each.event != SETTLED):
        raise Malformed("outcomes.ends-before-an-event")
