"""The sections of a public credit report (公共信用报告) and the lists that can be queried by name, declared in YAML."""

from __future__ import annotations

import calendar
from collections.abc import Mapping
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from serving.data.declarations import Declaration, read_declaration

SECTIONS_FILE = Path(__file__).with_name("sections.yaml")


class Section(Declaration):
    """A section: the tables of the catalogue whose records it lists."""

    name: str
    zh: str
    en: str
    tables: list[str]


class CombinedList(Declaration):
    """A list that joins several sections."""

    zh: str
    en: str
    sections: list[str]


class RepairRule(Declaration):
    """After how many months of publication a record may be repaired (信用修复), by severity; the severity of tables
    whose records state none; and the values of columns by which a record is no fault.
    """

    months: dict[str, int]
    severity: dict[str, str]
    nothing_to_repair: dict[str, list[str]]


class Label(Declaration):
    """A label shown on the front of a report when a section holds a record."""

    zh: str
    en: str
    good: bool


class SectionCatalogue(Declaration):
    """The whole declaration of `sections.yaml`."""

    version: str
    standard: str
    sections: list[Section]
    combined: dict[str, CombinedList]
    repair: RepairRule
    labels: dict[str, Label]
    words: dict[str, dict[str, str]]

    def lists(self) -> Mapping[str, tuple[str, str, tuple[str, ...]]]:
        """Every list that can be queried: its titles in two languages, and its tables."""
        single = {section.name: (section.zh, section.en, tuple(section.tables)) for section in self.sections}
        combined = {
            name: (section.zh, section.en, tuple(table for listed in section.sections for table in single[listed][2]))
            for name, section in self.combined.items()
        }
        return single | combined

    def word(self, column: str, value: str) -> str:
        """A coded value as it is shown to people."""
        return self.words.get(column, {}).get(value, value)

    def is_fault(self, values: Mapping[str, Any]) -> bool:
        """Whether a record of a table whose records may be repaired is a fault at all: a commitment kept is none."""
        return all(values.get(column) not in good for column, good in self.repair.nothing_to_repair.items())

    def repairable_from(self, table: str, severity: str | None, since: date) -> date:
        """The first day on which a record may be repaired. An undeclared severity counts as the worst."""
        months = self.repair.months
        effective = severity or self.repair.severity.get(table, "general")
        return months_after(since, months.get(effective, max(months.values())))


@cache
def section_catalogue() -> SectionCatalogue:
    """The declaration in `sections.yaml`, read once. Raises Malformed when the file does not match its form."""
    return read_declaration(SECTIONS_FILE, SectionCatalogue)


def months_after(day: date, months: int) -> date:
    """The same day so many months later, or the last day of that month."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))
