"""The public credit report (公共信用报告): its sections as plain words, before anybody draws them.

It takes the place of a certificate of no violations (无违法违规证明).
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
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
from serving.endpoints.reports.report_form import MAX_RECORDS, Report, ReportEntry, ReportItem, ReportSection, clean

_SHOWN_ABOVE = ("subject_name", "kind")


def compose_report(looked: InquiryScope, *, number: str, until: date, evaluation: Mapping[str, str] | None) -> Report:
    """Everything that may be shown of the subject, in the order of the standard."""
    rules, dossiers = section_catalogue(), looked.dossiers
    parts = [_part(looked, section) for section in rules.sections if any(t in dossiers.tables for t in section.tables)]
    labels = [
        (label.zh, label.good)
        for name, label in rules.labels.items()
        if any(part.name == name and part.total for part in parts)
    ]
    registered = next(iter(visible_records(looked, ["registration"])), None)
    fields = registered.fields if registered else {}
    return Report(
        number, clean(str(fields.get("subject_name", "（登记名称未归集）"))), looked.uscc.code,
        rules.word("kind", str(fields.get("kind", looked.uscc.kind))), looked.day, dossiers.as_of, until,
        looked.mandate is not None, dossiers.invented, rules.standard, dossiers.snapshot, dossiers.release,
        secrets.token_hex(8).upper(), tuple(labels),
        tuple(ReportEntry(title, value) for title, value in (evaluation or {}).items()), tuple(parts), NOTICE,
    )  # fmt: skip


def _part(looked: InquiryScope, section: Section) -> ReportSection:
    records, told = visible_records(looked, section.tables), looked.dossiers.tables
    heads = column_titles(looked, section.tables)
    closed = (
        [] if looked.mandate else [told[t]["title"] for t in tables_needing_mandate(looked.dossiers, section.tables)]
    )
    notes = [f"{'、'.join(closed)}须经主体授权方可完整查询"] if closed else []
    if len(records) > MAX_RECORDS:
        notes.append(f"共 {len(records)} 条，列最近 {MAX_RECORDS} 条")
    items = tuple(_item(record, told[record.table], heads[record.table]) for record in records[:MAX_RECORDS])
    return ReportSection(section.name, section.zh, section.en, len(records), items, "；".join(notes))


def _item(record: VisibleRecord, told: Mapping[str, Any], heads: Mapping[str, str]) -> ReportItem:
    rules = section_catalogue()
    entries = [
        ReportEntry(clean(heads[column], 40), clean(display_value(rules, column, value)))
        for column, value in record.fields.items()
        if column not in (*_SHOWN_ABOVE, told["document"], "reached_on") and str(value).strip()
    ]
    if record.repairable_from:
        entries.append(ReportEntry("信用修复", f"未修复，{record.repairable_from} 起可申请"))
    heading = clean(record.document, 128) if record.document else str(record.happened or "")
    return ReportItem(clean(told["title"], 40), heading, tuple(entries))
