"""The content of a public credit report (公共信用报告): its sections as plain text, before it is drawn.

The report replaces a certificate of no violations (无违法违规证明).
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from serving.endpoints.inquiries.inquiries import (
    NOTICE,
    InquiryScope,
    VisibleRecord,
    column_titles,
    display_value,
    tables_needing_mandate,
    visible_records,
)
from serving.endpoints.inquiries.sections import Section, section_catalogue
from serving.endpoints.reports.report_form import (
    MAX_RECORDS,
    Report,
    ReportEntry,
    ReportItem,
    ReportSection,
    SpecialSummary,
    clean,
)
from serving.endpoints.reports.special import SpecialRecords, special_declaration

_ON_THE_FRONT = ("subject_name", "kind")


def compose_report(
    scope: InquiryScope, *, number: str, valid_until: date, evaluation: Mapping[str, str] | None
) -> Report:
    """Everything that may be shown of the subject, in the order of the report standard (公共信用信息报告标准)."""
    catalogue, credit_files = section_catalogue(), scope.credit_files
    parts = [
        _part(scope, section) for section in catalogue.sections if any(t in credit_files.tables for t in section.tables)
    ]
    labels = [
        (label.zh, label.good)
        for name, label in catalogue.labels.items()
        if any(part.name == name and part.total for part in parts)
    ]
    shown = tuple(ReportEntry(title, value) for title, value in (evaluation or {}).items())
    return replace(_front(scope, number, valid_until), labels=tuple(labels), evaluation=shown, parts=tuple(parts))


def _front(scope: InquiryScope, number: str, valid_until: date) -> Report:
    """A report with nothing in it: what every report states of the subject, the day and the data."""
    catalogue, credit_files = section_catalogue(), scope.credit_files
    registered = next(iter(visible_records(scope, ["registration"])), None)
    fields = registered.fields if registered else {}
    return Report(
        number,
        clean(str(fields.get("subject_name", "（登记名称未归集）"))),
        scope.uscc.code,
        catalogue.word("kind", str(fields.get("kind", scope.uscc.kind))),
        scope.day,
        credit_files.as_of,
        valid_until,
        scope.sees_all,
        credit_files.invented,
        catalogue.standard,
        credit_files.snapshot,
        credit_files.release,
        secrets.token_hex(8).upper(),
        (),
        (),
        (),
        NOTICE,
    )


def compose_special(
    scope: InquiryScope, selected: SpecialRecords, *, number: str, valid_until: date, code: str
) -> Report:
    """A special report (信用代证): 有 or 无 by field, and the records of each content that the chosen fields have."""
    declared, credit_files = special_declaration(), scope.credit_files
    parts = []
    for content in declared.contents:
        of_content = selected.selected[content.name]
        chosen = [record for field in selected.fields for record in (of_content or {}).get(field.name, ())]
        titles = column_titles(scope, [content.table])
        items = tuple(
            _item(record, credit_files.tables[record.table], titles[record.table]) for record in chosen[:MAX_RECORDS]
        )
        notes = ["平台未归集该类信息"] if of_content is None else []
        notes += [f"共 {len(chosen)} 条，列最近 {MAX_RECORDS} 条"] if len(chosen) > MAX_RECORDS else []
        parts.append(ReportSection(content.name, content.zh, content.en, len(chosen), items, "；".join(notes)))
    years = (
        f"{selected.first_year}—{selected.last_year}"
        if selected.first_year < selected.last_year
        else str(selected.last_year)
    )
    fields = tuple(ReportEntry(field.zh, selected.answer(field)) for field in selected.fields)
    summary = SpecialSummary(years, fields, code)
    front = _front(scope, number, valid_until)
    return replace(front, standard=declared.standard, parts=tuple(parts), special=summary)


def _part(scope: InquiryScope, section: Section) -> ReportSection:
    records, described = visible_records(scope, section.tables), scope.credit_files.tables
    titles_by_table = column_titles(scope, section.tables)
    restricted = (
        []
        if scope.sees_all
        else [described[table]["title"] for table in tables_needing_mandate(scope.credit_files, section.tables)]
    )
    notes = [f"{'、'.join(restricted)}须经主体授权方可完整查询"] if restricted else []
    if len(records) > MAX_RECORDS:
        notes.append(f"共 {len(records)} 条，列最近 {MAX_RECORDS} 条")
    items = tuple(
        _item(record, described[record.table], titles_by_table[record.table]) for record in records[:MAX_RECORDS]
    )
    return ReportSection(section.name, section.zh, section.en, len(records), items, "；".join(notes))


def _item(record: VisibleRecord, described: Mapping[str, Any], titles: Mapping[str, str]) -> ReportItem:
    catalogue = section_catalogue()
    entries = [
        ReportEntry(clean(titles[column], 40), clean(display_value(catalogue, column, value)))
        for column, value in record.fields.items()
        if column not in (*_ON_THE_FRONT, described["document"], "reached_on") and str(value).strip()
    ]
    if record.repairable_from:
        entries.append(ReportEntry("信用修复", f"未修复，{record.repairable_from} 起可申请"))
    heading = clean(record.document, 128) if record.document else str(record.happened or "")
    return ReportItem(clean(described["title"], 40), heading, tuple(entries))
