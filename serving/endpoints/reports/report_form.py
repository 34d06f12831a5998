"""The form of a public credit report. It imports little, so that a drawing process starts quickly.

Text from records is cleaned of invisible characters and of characters that change the direction of text, and cut at
a limit: no record can hide a sentence in a report or fill it.
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
)  # records per section, characters per value, characters that fit half a line


@dataclass(frozen=True, slots=True)
class ReportEntry:
    """A title and its value."""

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
    """A section: the newest of its records, how many there are, and a note about them."""

    name: str
    zh: str
    en: str
    total: int
    items: tuple[ReportItem, ...]
    note: str


@dataclass(frozen=True, slots=True)
class SpecialSummary:
    """What makes a report a special one (信用代证): its years, 有 or 无 by field, and the text of its signed code."""

    years: str
    fields: tuple[ReportEntry, ...]
    code: str


@dataclass(frozen=True, slots=True)
class Report:
    """The whole report. Its field names are those of the JSON format.

    `check` is a random check code (校验码), which no ledger contains. `special` is None in a report of everything.
    """

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
    special: SpecialSummary | None = None


def clean(text: str, longest: int = MAX_VALUE_LENGTH) -> str:
    """The text on one line, without control and format characters (Unicode categories C*), cut at `longest` characters.

    A private-use or unassigned character stands for a rare character of another system: it is shown by its code
    point, so that no name loses one.
    """
    visible = "".join(map(_visible, re.sub(r"\s", " ", text)))
    normalised = re.sub(" +", " ", unicodedata.normalize("NFC", visible)).strip()
    return normalised if len(normalised) <= longest else f"{normalised[: longest - 1]}…"


def _visible(character: str) -> str:
    kind = unicodedata.category(character)
    if kind in ("Co", "Cn"):
        return code_point_text(character)
    return "" if kind.startswith("C") else character
