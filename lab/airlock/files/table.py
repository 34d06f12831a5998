"""Inspecting tables (表格检查): CSV, TSV, JSON, Parquet, and tables inside a text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from credit.gate import Finding, Outcome
from lab.airlock.checks import dominance, marginal_attack, row_level, small_cells
from lab.airlock.checks.column_roles import names_a_count
from lab.airlock.checks.small_cells import TableCase
from lab.airlock.files import text as texts
from lab.airlock.files.file_inspection import FileInspection
from lab.airlock.files.file_kinds import FileKind
from lab.airlock.files.table_reading import read_delimited, read_json, read_parquet, tables_in_text
from lab.airlock.grid import Grid
from lab.airlock.issue import Issue, as_finding, run_checks
from lab.airlock.parcel_context import FileDescription
from lab.airlock.thresholds import Thresholds

CHECKS = (*row_level.CHECKS, *small_cells.CHECKS, *marginal_attack.CHECKS, *dominance.CHECKS)


def inspect_table(name: str, content: bytes, about: FileDescription, t: Thresholds) -> FileInspection:
    """Inspect delimited text, cell by cell; the submitted bytes leave unchanged."""
    text = content.decode("utf-8-sig")
    grid = read_delimited(text, t)
    if isinstance(grid, Issue):
        return FileInspection(FileKind.TABLE, content, (as_finding("reading", name, grid),))
    return _inspect_tables(
        name, FileKind.TABLE, content, [grid], about, t, texts.check_text(name, text, texts.TABLE_CHECKS, t)
    )


def inspect_json(name: str, content: bytes, about: FileDescription, t: Thresholds) -> FileInspection:
    """Inspect every table in a JSON text; the submitted bytes leave unchanged."""
    text = content.decode("utf-8-sig")
    grids = read_json(text)
    if isinstance(grids, Issue):
        return FileInspection(FileKind.JSON, content, (as_finding("reading", name, grids),))
    return _inspect_tables(
        name, FileKind.JSON, content, grids, about, t, texts.check_text(name, text, texts.TABLE_CHECKS, t)
    )


def inspect_parquet(name: str, content: bytes, about: FileDescription, t: Thresholds) -> FileInspection:
    """Inspect a Parquet file; the same table leaves in a new file without metadata."""
    read = read_parquet(content, t)
    if isinstance(read, Issue):
        return FileInspection(FileKind.PARQUET, b"", (as_finding("reading", name, read),))
    grid, outgoing = read
    text = "\n".join(each for column in grid.columns for each in (column.name, *column.texts))
    return _inspect_tables(
        name, FileKind.PARQUET, outgoing, [grid], about, t, texts.check_text(name, text, texts.TABLE_CHECKS, t)
    )


def inspect_text(name: str, content: bytes, about: FileDescription, t: Thresholds) -> FileInspection:
    """Inspect text or code, and each table written out in it."""
    text = content.decode("utf-8-sig")
    findings = texts.check_text(name, text, texts.CHECKS, t)
    short = all(finding.check != "length" or finding.outcome is not Outcome.FAIL for finding in findings)
    grids = list(tables_in_text(text, t["table_lines_at_least"])) if short else []
    return _inspect_tables(name, FileKind.TEXT, content, grids, about, t, findings)


def _inspect_tables(
    name: str,
    kind: FileKind,
    content: bytes,
    grids: Sequence[Grid],
    about: FileDescription,
    t: Thresholds,
    findings: list[Finding],
) -> FileInspection:
    transposed = [grid.transposed() for grid in grids if _is_transposed(grid, t)]
    if any(finding.check == "length" and finding.outcome is Outcome.FAIL for finding in findings):
        return FileInspection(kind, content, tuple(findings))
    cases = tuple(TableCase(grid, about) for grid in (*grids, *transposed) if grid.columns)
    for case in cases:
        label = f"{name} ({case.grid.label})" if case.grid.label else name
        small = case.grid.cells <= t["cells_at_most"] and len(case.grid.columns) <= t["columns_at_most"]
        for finding in run_checks(label, case, CHECKS if small else row_level.CHECKS, t):
            findings.append(replace(finding, evidence={**finding.evidence, "file": name}))
    kept = tuple(case for case in cases if case.grid.cells <= t["cells_at_most"])
    return FileInspection(kind, content, tuple(findings), kept)


def _is_transposed(grid: Grid, t: Thresholds) -> bool:
    """True when rows and columns are swapped: row names mean counts, or the table is much wider than long."""
    if len(grid.columns) < 2 or grid.rows > t["columns_at_most"] or len(grid.columns) > t["columns_at_most"]:
        return False
    first = grid.columns[0]
    wide = len(grid.columns) > max(grid.rows, t["rows_without_counts_review_from"])
    return not first.numeric and (wide or any(map(names_a_count, first.texts)))
