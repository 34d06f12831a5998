"""Looking at tables: CSV, TSV, JSON, Parquet, and those that stand inside a text (表格检查)."""

from __future__ import annotations

from collections.abc import Sequence

from credit.gate import Finding, Outcome
from lab.airlock.checks import dominance, marginal_attack, row_level, small_cells
from lab.airlock.checks.column_roles import is_count
from lab.airlock.checks.small_cells import TableCase
from lab.airlock.checks.trouble import Trouble, as_finding, judge
from lab.airlock.files import text as texts
from lab.airlock.files.file_inspection import Looked
from lab.airlock.files.file_kinds import Kind
from lab.airlock.files.grid import Grid
from lab.airlock.files.table_reading import delimited, embedded, from_json, parquet
from lab.airlock.parcel_context import About
from lab.airlock.thresholds import Thresholds

CHECKS = (*row_level.CHECKS, *small_cells.CHECKS, *marginal_attack.CHECKS, *dominance.CHECKS)


def look_at_table(name: str, content: bytes, about: About, t: Thresholds) -> Looked:
    """Delimited text, cell by cell."""
    text = content.decode("utf-8-sig")
    grid = delimited(text, t)
    if isinstance(grid, Trouble):
        return Looked(Kind.TABLE, content, (as_finding("reading", name, grid),))
    return _tables(name, Kind.TABLE, content, [grid], about, t, texts.judge_text(name, text, texts.TABLE_CHECKS, t))


def look_at_json(name: str, content: bytes, about: About, t: Thresholds) -> Looked:
    """Every table in a JSON text."""
    text = content.decode("utf-8-sig")
    grids = from_json(text)
    if isinstance(grids, Trouble):
        return Looked(Kind.JSON, content, (as_finding("reading", name, grids),))
    return _tables(name, Kind.JSON, content, grids, about, t, texts.judge_text(name, text, texts.TABLE_CHECKS, t))


def look_at_parquet(name: str, content: bytes, about: About, t: Thresholds) -> Looked:
    """A Parquet file; what leaves is the same table written anew, without metadata."""
    read = parquet(content, t)
    if isinstance(read, Trouble):
        return Looked(Kind.PARQUET, b"", (as_finding("reading", name, read),))
    grid, carried = read
    text = "\n".join(each for column in grid.columns for each in (column.name, *column.texts))
    return _tables(name, Kind.PARQUET, carried, [grid], about, t, texts.judge_text(name, text, texts.TABLE_CHECKS, t))


def look_at_text(name: str, content: bytes, about: About, t: Thresholds) -> Looked:
    """Text and code, and each table that is written out in it."""
    text = content.decode("utf-8-sig")
    found = texts.judge_text(name, text, texts.CHECKS, t)
    short = all(finding.check != "length" or finding.outcome is not Outcome.FAIL for finding in found)
    grids = list(embedded(text, t["table_lines_at_least"])) if short else []
    return _tables(name, Kind.TEXT, content, grids, about, t, found)


def _tables(
    name: str, kind: Kind, content: bytes, grids: Sequence[Grid], about: About, t: Thresholds, found: list[Finding]
) -> Looked:
    turned = [grid.transposed() for grid in grids if _lies_on_its_side(grid, t)]
    if any(finding.check == "length" and finding.outcome is Outcome.FAIL for finding in found):
        return Looked(kind, content, tuple(found))
    cases = tuple(TableCase(grid, about) for grid in (*grids, *turned) if grid.columns)
    for case in cases:
        label = f"{name} ({case.grid.label})" if case.grid.label else name
        small = case.grid.cells <= t["cells_at_most"] and len(case.grid.columns) <= t["columns_at_most"]
        for finding in judge(label, case, CHECKS if small else row_level.CHECKS, t):
            found.append(Finding(finding.check, finding.outcome, finding.why, {**finding.evidence, "file": name}))
    kept = tuple(case for case in cases if case.grid.cells <= t["cells_at_most"])
    return Looked(kind, content, tuple(found), kept)


def _lies_on_its_side(grid: Grid, t: Thresholds) -> bool:
    """True when its rows are what columns should be: they are named as counts, or it is much wider than long."""
    if len(grid.columns) < 2 or grid.rows > t["columns_at_most"] or len(grid.columns) > t["columns_at_most"]:
        return False
    first = grid.columns[0]
    wide = len(grid.columns) > max(grid.rows, t["rows_without_counts_review_from"])
    return not first.numeric and (wide or any(map(is_count, first.texts)))
