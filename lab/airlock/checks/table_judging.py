"""Judging tables (表格判定): every check of tables, also for tables on their side and tables inside a text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from credit.gate import Finding
from lab.airlock.checks import counts_in_cells, dominance, marginal_attack, row_level, small_cells
from lab.airlock.checks.column_roles import names_a_count
from lab.airlock.checks.exact_numbers import numbers_in_labels
from lab.airlock.checks.small_cells import TableCase
from lab.airlock.grid import Grid
from lab.airlock.issue import run_checks
from lab.airlock.parcel_context import FileDescription
from lab.airlock.thresholds import Thresholds

CHECKS = (*row_level.CHECKS, *small_cells.CHECKS, *counts_in_cells.CHECKS, *marginal_attack.CHECKS, *dominance.CHECKS)


def judge_tables(
    name: str, grids: Sequence[Grid], about: FileDescription, t: Thresholds
) -> tuple[list[Finding], tuple[TableCase, ...]]:
    """The findings on the tables of a file, and what is compared with others: those that are small enough for it, and
    the exact numbers in their labels and names of columns.
    """
    transposed = [grid.transposed() for grid in grids if _is_transposed(grid, t)]
    cases = tuple(TableCase(grid, about) for grid in (*grids, *transposed) if grid.columns)
    findings: list[Finding] = []
    for case in cases:
        label = f"{name} ({case.grid.label})" if case.grid.label else name
        small = case.grid.cells <= t["cells_at_most"] and len(case.grid.columns) <= t["columns_at_most"]
        for finding in run_checks(label, case, CHECKS if small else row_level.CHECKS, t):
            findings.append(replace(finding, evidence={**finding.evidence, "file": name}))
    compared = [case for case in cases if case.grid.cells <= t["cells_at_most"]]
    in_labels = [numbers_in_labels(grid, about) for grid in grids if grid.cells <= t["cells_at_most"]]
    return findings, (*compared, *(case for case in in_labels if case is not None))


def _is_transposed(grid: Grid, t: Thresholds) -> bool:
    """True when rows and columns are swapped: row names mean counts, or the table is much wider than long."""
    if len(grid.columns) < 2 or grid.rows > t["columns_at_most"] or len(grid.columns) > t["columns_at_most"]:
        return False
    first = grid.columns[0]
    wide = len(grid.columns) > max(grid.rows, t["rows_without_counts_review_from"])
    return not first.numeric and (wide or any(map(names_a_count, first.texts)))
