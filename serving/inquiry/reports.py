"""The public credit report (公共信用报告): its sections as plain words, before anybody draws them.

It takes the place of a certificate of no violations (无违法违规证明). Words from records are cleaned of what is not
seen or turns the line around, and cut where they would not end: nobody hides a sentence in a report or floods it.
"""

from __future__ import annotations

import re
import secrets
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from serving.inquiry.inquiries import NOTICE, Looked, Record, readable, shown, take_a_mandate, titles
from serving.inquiry.sections import Section, sections
from serving.inquiry.typeface import unknown

MOST, LONGEST, WIDE = 50, 1200, 22  # records of a section, characters of a value, characters that fit half a line
_SHOWN_ABOVE = ("subject_name", "kind")


@dataclass(frozen=True, slots=True)
class Entry:
    """A title and what stands beside it; `wide` takes a whole line."""

    title: str
    value: str

    @property
    def wide(self) -> bool:
        """Whether it takes a whole line."""
        return len(self.value) > WIDE or len(self.title) > WIDE // 2


@dataclass(frozen=True, slots=True)
class Item:
    """A record: its table's title, its document number or day, and its entries."""

    table: str
    heading: str
    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class Part:
    """A section with the newest of its records, how many there are, and what to know about them."""

    name: str
    zh: str
    en: str
    total: int
    items: tuple[Item, ...]
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
    evaluation: tuple[Entry, ...]
    parts: tuple[Part, ...]
    notice: Mapping[str, str]


def compose(looked: Looked, *, number: str, until: date, evaluation: Mapping[str, str] | None) -> Report:
    """Everything that may be shown of the subject, in the order of the standard."""
    rules, dossiers = sections(), looked.dossiers
    parts = [_part(looked, section) for section in rules.sections if any(t in dossiers.tables for t in section.tables)]
    labels = [
        (label.zh, label.good)
        for name, label in rules.labels.items()
        if any(part.name == name and part.total for part in parts)
    ]
    registered = next(iter(shown(looked, ["registration"])), None)
    fields = registered.fields if registered else {}
    return Report(
        number, clean(str(fields.get("subject_name", "（登记名称未归集）"))), looked.uscc.code,
        rules.word("kind", str(fields.get("kind", looked.uscc.kind))), looked.day, dossiers.as_of, until,
        looked.mandate is not None, dossiers.invented, rules.standard, dossiers.snapshot, dossiers.release,
        secrets.token_hex(8).upper(), tuple(labels),
        tuple(Entry(title, value) for title, value in (evaluation or {}).items()), tuple(parts), NOTICE,
    )  # fmt: skip


def clean(text: str, longest: int = LONGEST) -> str:
    """The text on one line without control and format characters (Unicode C*), cut at `longest`.

    A private or unassigned one stands for a rare character of some other system: it is told, so no name loses one.
    """
    seen = "".join(map(_seen, re.sub(r"\s", " ", text)))
    plain = re.sub(" +", " ", unicodedata.normalize("NFC", seen)).strip()
    return plain if len(plain) <= longest else f"{plain[: longest - 1]}…"


def _seen(character: str) -> str:
    kind = unicodedata.category(character)
    if kind in ("Co", "Cn"):
        return unknown(character)
    return "" if kind.startswith("C") else character


def _part(looked: Looked, section: Section) -> Part:
    records, told = shown(looked, section.tables), looked.dossiers.tables
    heads = titles(looked, section.tables)
    closed = [] if looked.mandate else [told[t]["title"] for t in take_a_mandate(looked.dossiers, section.tables)]
    notes = [f"{'、'.join(closed)}须经主体授权方可完整查询"] if closed else []
    if len(records) > MOST:
        notes.append(f"共 {len(records)} 条，列最近 {MOST} 条")
    items = tuple(_item(record, told[record.table], heads[record.table]) for record in records[:MOST])
    return Part(section.name, section.zh, section.en, len(records), items, "；".join(notes))


def _item(record: Record, told: Mapping[str, Any], heads: Mapping[str, str]) -> Item:
    rules = sections()
    entries = [
        Entry(clean(heads[column], 40), clean(readable(rules, column, value)))
        for column, value in record.fields.items()
        if column not in (*_SHOWN_ABOVE, told["document"], "reached_on") and str(value).strip()
    ]
    if record.repairable_from:
        entries.append(Entry("信用修复", f"未修复，{record.repairable_from} 起可申请"))
    heading = clean(record.document, 128) if record.document else str(record.happened or "")
    return Item(clean(told["title"], 40), heading, tuple(entries))
