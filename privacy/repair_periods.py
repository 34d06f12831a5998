"""How long a record is published, and when it may be repaired: ``repair_periods.yaml`` in this folder.

信用修复管理办法 (NDRC Order 36 of 2025). The longest times hold for documents since the order is in force.
"""

from __future__ import annotations

import calendar
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from pathlib import Path

import yaml

HERE = Path(__file__).with_name("repair_periods.yaml")


@dataclass(frozen=True, slots=True)
class RepairPeriods:
    """Months by severity, and the working days in which an application is decided."""

    in_force: date
    least: Mapping[str, int]
    most: Mapping[str, int]
    slack_days: int
    decide_in_working_days: int

    def earliest(self, since: date, severity: str) -> date:
        """The first day on which a record may be repaired; an unknown severity counts as the worst."""
        return months_after(since, self.least.get(severity, max(self.least.values())))

    def fits(self, since: date, severity: str, published_until: date | None) -> bool:
        """Whether a publication is no longer than the severity of its record permits."""
        if published_until is None or since < self.in_force or severity not in self.most:
            return True
        return published_until <= months_after(since, self.most[severity]) + timedelta(self.slack_days)


@cache
def repair_periods(path: Path = HERE) -> RepairPeriods:
    """The periods of a file, read once."""
    data = yaml.safe_load(path.read_text(encoding="utf-8"))
    return RepairPeriods(**data)


def months_after(day: date, months: int) -> date:
    """The same day so many months later, or the last day of that month."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))
