"""Reading delimited text (分隔文本): CSV, TSV and their like, by the one delimiter that splits every line alike."""

from __future__ import annotations

import csv
import io

from credit.messages import Text
from lab.airlock.issue import Issue, fail
from lab.airlock.kinds.file_format import ReadFile
from lab.airlock.kinds.tables.table_model import TableModel, table_of
from lab.airlock.thresholds import Thresholds

DELIMITERS = (",", "\t", ";", "|")


def read_delimited(content: bytes, t: Thresholds) -> ReadFile[TableModel] | Issue:
    """The table in a text whose first line names its columns; text without a delimiter is a table of one column."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return fail(Text.of("airlock.not-delimited"), Text.of("airlock.write-csv"))
    lines = text.splitlines()
    if len(lines) > 20 * t["rows_at_most"]:
        return fail(Text.of("airlock.lines", lines=len(lines)), Text.of("airlock.table-fix"), lines=len(lines))
    sample = "\n".join(lines[:50])
    best = max(DELIMITERS, key=lambda each: _column_count(sample, each))
    delimiter = best if _column_count(sample, best) > 1 else ","
    try:
        rows = [row for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True) if row]
    except csv.Error:
        return fail(Text.of("airlock.not-delimited"), Text.of("airlock.write-csv"))
    if not rows or len({len(row) for row in rows}) > 1:
        return fail(Text.of("airlock.ragged"), Text.of("airlock.write-csv"))
    header, *body = rows
    columns: list[tuple[str, ...]] = list(zip(*body, strict=True)) if body else [()] * len(header)
    table = table_of(header, columns, t)
    return table if isinstance(table, Issue) else ReadFile(table, respelled(table, header, columns))


def respelled(table: TableModel, names: list[str] | tuple[str, ...], columns: list[tuple[str, ...]]) -> dict[str, int]:
    """How many names and cells of a table are spelled otherwise than they were given, by the message that says so."""
    pairs = zip((*names, *(text for texts in columns for text in texts)), _texts(table), strict=True)
    count = sum(given != written for given, written in pairs)
    return {"airlock.rewritten-cells": count} if count else {}


def _texts(table: TableModel) -> list[str]:
    return [*(column.name for column in table.columns), *(text for column in table.columns for text in column.texts)]


def _column_count(sample: str, delimiter: str) -> int:
    """The number of columns by this delimiter in every line of a sample; 0 when the lines differ."""
    try:
        widths = {len(row) for row in csv.reader(io.StringIO(sample), delimiter=delimiter) if row}
    except csv.Error:
        return 0
    return widths.pop() if len(widths) == 1 else 0
