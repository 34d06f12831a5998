"""The sections of a public credit report (公共信用报告), and the lists one may ask for by name, as data."""

from __future__ import annotations

import calendar
from collections.abc import Mapping
from datetime import date
from functools import cache
from pathlib import Path

from serving.data.declarations import Declaration, read_declaration

SECTIONS_FILE = Path(__file__).with_name("sections.yaml")


class Section(Declaration):
    """A section: the tables of the catalogue whose records stand in it."""

    name: str
    zh: str
    en: str
    tables: list[str]


class CombinedList(Declaration):
    """A list that asks for several sections at once."""

    zh: str
    en: str
    sections: list[str]


class RepairRule(Declaration):
    """After how many months of publication a record may be repaired, by severity, and the severity of silent tables."""

    months: dict[str, int]
    severity: dict[str, str]


class Label(Declaration):
    """What stands on a report's face when a section holds a record."""

    zh: str
    en: str
    good: bool


class SectionCatalogue(Declaration):
    """All of it."""

    version: str
    standard: str
    sections: list[Section]
    combined: dict[str, CombinedList]
    repair: RepairRule
    labels: dict[str, Label]
    words: dict[str, dict[str, str]]

    def lists(self) -> Mapping[str, tuple[str, str, tuple[str, ...]]]:
        """Every list one may ask for: its titles in two languages and the tables it is made of."""
        own = {each.name: (each.zh, each.en, tuple(each.tables)) for each in self.sections}
        several = {
            name: (each.zh, each.en, tuple(table for part in each.sections for table in own[part][2]))
            for name, each in self.combined.items()
        }
        return own | several

    def word(self, column: str, value: str) -> str:
        """A value as people read it."""
        return self.words.get(column, {}).get(value, value)

    def repairable_from(self, table: str, severity: str | None, since: date) -> date:
        """The first day on which a record may be repaired. A severity that nobody declared counts as the worst."""
        months = self.repair.months
        named = severity or self.repair.severity.get(table, "general")
        return months_after(since, months.get(named, max(months.values())))


@cache
def section_catalogue() -> SectionCatalogue:
    """The shipped ones. Raises Malformed when the file has not its form."""
    return read_declaration(SECTIONS_FILE, SectionCatalogue)


def months_after(day: date, months: int) -> date:
    """The same day so many months later, or the last of that month."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))
