"""The form of a public credit report: all that who draws one need know, so that a drawer's process starts at once.

Words from records are cleaned of what is not seen or turns the line around, and cut where they would not end: nobody
hides a sentence in a report or floods it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from serving.endpoints.reports.typeface import code_point_text

MAX_RECORDS, MAX_VALUE_LENGTH, HALF_LINE = (
    50,
    1200,
    22,
)  # records of a section, characters of a value, characters that fit half a line


@dataclass(frozen=True, slots=True)
class ReportEntry:
    """A title and what stands beside it; `wide` takes a whole line."""

    title: str
    value: str

    @property
    def wide(self) -> bool:
        """Whether it takes a whole line."""
        return len(self.value) > HALF_LINE or len(self.title) > HALF_LINE // 2


@dataclass(frozen=True, slots=True)
class ReportItem:
    """A record: its table's title, its document number or day, and its entries."""

    table: str
    heading: str
    entries: tuple[ReportEntry, ...]


@dataclass(frozen=True, slots=True)
class ReportSection:
    """A section with the newest of its records, how many there are, and what to know about them."""

    name: str
    zh: str
    en: str
    total: int
    items: tuple[ReportItem, ...]
    note: str


@dataclass(frozen=True, slots=True)
class Report:
    """The whole report. `check` is a word of its own (校验码) that stands in no ledger."""

    number: str
    name: str
    uscc: str
    kind: str
    day: date
    as_of: date
    until: date
    full: bool
    invented: bool
    standard: str
    snapshot: str
    release: str
    check: str
    labels: tuple[tuple[str, bool], ...]
    evaluation: tuple[ReportEntry, ...]
    parts: tuple[ReportSection, ...]
    notice: Mapping[str, str]


def clean(text: str, longest: int = MAX_VALUE_LENGTH) -> str:
    """The text on one line without control and format characters (Unicode C*), cut at `longest`.

    A private or unassigned one stands for a rare character of some other system: it is told, so no name loses one.
    """
    seen = "".join(map(_seen, re.sub(r"\s", " ", text)))
    plain = re.sub(" +", " ", unicodedata.normalize("NFC", seen)).strip()
    return plain if len(plain) <= longest else f"{plain[: longest - 1]}…"


def _seen(character: str) -> str:
    kind = unicodedata.category(character)
    if kind in ("Co", "Cn"):
        return code_point_text(character)
    return "" if kind.startswith("C") else character
