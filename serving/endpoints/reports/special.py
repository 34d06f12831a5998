"""What a special report (专项信用报告, 信用代证) says: for each field 有 or 无, and the records behind it.

It is the subject's own request, so penalties of every severity count, also those of the simple procedure and those
whose publication has ended (发改财金〔2025〕565号). A repaired record is used no more. What the platform does not
collect is shown as not collected, and never as 无.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from credit.errors import Lapsed, Malformed
from credit.messages import Text
from serving.data.declarations import Declaration, read_declaration
from serving.endpoints.inquiries.inquiries import InquiryScope, VisibleRecord, visible_records

SPECIAL_FILE = Path(__file__).with_name("special.yaml")
NOT_COLLECTED = None


class Content(Declaration):
    """One content: the table whose records it counts, and the column that names a record's field (None: courts)."""

    name: str
    zh: str
    en: str
    table: str
    column: str | None
    lasting: bool = False  # a record counts in every year in which it was in force, not only in its first


class SpecialField(Declaration):
    """One field: the values of the contents' columns that belong to it."""

    name: str
    zh: str
    en: str
    values: list[str]
    criminal: bool = False


class SpecialDeclaration(Declaration):
    """The whole declaration of `special.yaml`."""

    version: str
    standard: str
    longest_years: int
    contents: list[Content]
    fields: list[SpecialField]


@cache
def special_declaration() -> SpecialDeclaration:
    """The declaration, read once. Raises Malformed when the file does not match its form."""
    return read_declaration(SPECIAL_FILE, SpecialDeclaration)


@dataclass(frozen=True, slots=True)
class SpecialRecords:
    """The chosen fields and years, and the records of each content and field; None for what is not collected."""

    fields: tuple[SpecialField, ...]
    first_year: int
    last_year: int
    selected: Mapping[str, Mapping[str, tuple[VisibleRecord, ...]] | None]

    def count(self, content: str, field: str) -> int | None:
        """How many records of a content a field has; None where the content is not collected."""
        of_content = self.selected[content]
        return NOT_COLLECTED if of_content is None else len(of_content.get(field, ()))

    def answer(self, field: SpecialField) -> str:
        """有 where a record is selected, else 无; 未归集 where no content could be looked at."""
        counts = [self.count(content, field.name) for content in self.selected]
        known = [count for count in counts if count is not None]
        return "未归集" if not known else "有" if any(known) else "无"


def special_records(scope: InquiryScope, fields: Sequence[str], first: int, last: int) -> SpecialRecords:
    """Look up what the report says. No field means every field.

    Raises Malformed for an unknown field or years that do not fit, and Lapsed when the credit files do not have the
    minor and ended records: a report from them would say 无 where there is something.
    """
    declared = special_declaration()
    by_name = {field.name: field for field in declared.fields}
    if unknown := [name for name in fields if name not in by_name]:
        raise Malformed("special.no-field", name=Text.verbatim(unknown[0][:40]), fields=", ".join(by_name))
    if not scope.day.year - declared.longest_years < first <= last <= scope.day.year:
        raise Malformed("special.years", longest=declared.longest_years, year=scope.day.year)
    chosen = tuple(field for field in declared.fields if not fields or field.name in fields)
    selected: dict[str, Mapping[str, tuple[VisibleRecord, ...]] | None] = {}
    for content in declared.contents:
        table = scope.credit_files.tables.get(content.table)
        if table is None:
            selected[content.name] = NOT_COLLECTED
            continue
        if not table.get("certificate", False):
            raise Lapsed("special.credit-files-without", table=content.table)
        visible = visible_records(scope, [content.table])
        records = [record for record in visible if _in_years(record, first, last, lasting=content.lasting)]
        selected[content.name] = _by_field(content, records, declared)
    return SpecialRecords(chosen, first, last, selected)


def _in_years(record: VisibleRecord, first: int, last: int, *, lasting: bool) -> bool:
    """Whether a record belongs to the years. One without a day belongs to every year, so it is not left out."""
    if record.happened is None:
        return True
    ended = record.ends.year if lasting and record.ends else last if lasting else record.happened.year
    return record.happened.year <= last and ended >= first


def _by_field(
    content: Content, records: Sequence[VisibleRecord], declared: SpecialDeclaration
) -> dict[str, tuple[VisibleRecord, ...]]:
    """The records of each field. A value that no field names belongs to the last one, so no record is left out."""
    sorted_out: dict[str, list[VisibleRecord]] = {}
    rest = declared.fields[-1].name
    criminal = next((field.name for field in declared.fields if field.criminal), rest)
    names = {value: field.name for field in declared.fields for value in field.values}
    for record in records:
        place = criminal if content.column is None else names.get(str(record.fields.get(content.column)), rest)
        sorted_out.setdefault(place, []).append(record)
    return {name: tuple(of_field) for name, of_field in sorted_out.items()}
