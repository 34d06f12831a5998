"""Working days (工作日) by the State Council's yearly notices. The adapter to ``chinesecalendar`` (MIT).

The library has the years since 2004 as far as their notices are published, and the file of rules has further ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta

import chinese_calendar

DAY = timedelta(days=1)
SATURDAY = 5


@dataclass(frozen=True, slots=True)
class NoticedYear:
    """A year's notice: the days off, and the weekend days on which people work."""

    holidays: frozenset[date]
    working: frozenset[date]


@dataclass(frozen=True, slots=True)
class WorkingDays:
    """The calendar: that of the library, and the years that replace the library's."""

    years: Mapping[int, NoticedYear] = field(default_factory=dict)

    def is_working(self, day: date) -> bool | None:
        """Whether people work on a day; None in a year of which no notice is known."""
        if own := self.years.get(day.year):
            return day in own.working or (day.weekday() < SATURDAY and day not in own.holidays)
        try:
            return bool(chinese_calendar.is_workday(day))
        except NotImplementedError:
            return None

    def deadline(self, decided: date, working_days: int) -> date | None:
        """The last day in time: the n-th working day after a decision; None where the calendar does not reach."""
        day, left = decided, working_days
        while left:
            day += DAY
            works = self.is_working(day)
            if works is None:
                return None
            left -= works
        return day
