"""Inspecting text and code (文本检查), with the tables that are written out in it."""

from __future__ import annotations

from credit.gate import Outcome
from lab.airlock.checks.table_judging import judge_tables
from lab.airlock.files import text as texts
from lab.airlock.files.file_inspection import FileInspection
from lab.airlock.files.file_kinds import FileKind
from lab.airlock.files.table_reading import tables_in_text
from lab.airlock.parcel_context import FileDescription
from lab.airlock.thresholds import Thresholds


def inspect_text(name: str, content: bytes, about: FileDescription, t: Thresholds) -> FileInspection:
    """Inspect text or code, and each table written out in it."""
    text = content.decode("utf-8-sig")
    findings = texts.check_text(name, text, texts.CHECKS, t)
    if any(finding.check == "length" and finding.outcome is Outcome.FAIL for finding in findings):
        return FileInspection(FileKind.TEXT, content, tuple(findings))
    in_tables, cases = judge_tables(name, list(tables_in_text(text, t["table_lines_at_least"])), about, t)
    return FileInspection(FileKind.TEXT, content, (*findings, *in_tables), cases)
