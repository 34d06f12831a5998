"""Cells that are hidden in one table and shown in another (跨表还原).

When the hidden cells of a table are filled in from another table, its totals may reveal the remaining hidden cells
(linked tables: Hundepool et al., Statistical Disclosure Control, 2012, chapter 4).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from credit.messages import Text
from lab.airlock.checks.column_roles import ColumnRole
from lab.airlock.checks.differencing import LocatedTable
from lab.airlock.checks.marginal_attack import recoverable_cells
from lab.airlock.checks.measures import comparison_name
from lab.airlock.checks.small_cells import TableCase
from lab.airlock.checks.table_alignment import Key, aligned_keys, normalized
from lab.airlock.grid import Grid, GridColumn
from lab.airlock.issue import Issue
from lab.airlock.thresholds import Thresholds


def recoverable_across_tables(new: LocatedTable, old: LocatedTable, t: Thresholds) -> Iterator[Issue]:
    """No hidden cell of either table can be recovered with the help of the other."""
    for table, other in ((new, old), (old, new)):
        filled = _fill_hidden_cells(table.case, other.case)
        if filled is None:
            continue
        recoverable_alone = {cell for issue in recoverable_cells(table.case, t) for cell in issue.evidence["cells"]}
        for issue in recoverable_cells(filled, t):
            if set(issue.evidence.get("cells", ())) - recoverable_alone:
                evidence = {**issue.evidence, "this": table.where, "against": other.where}
                why = Text.of("airlock.cross-table", other=other.where, table=table.where)
                fix = Text.of("airlock.cross-table-fix", table=old.where)
                yield Issue(issue.outcome, why, fix, evidence)


def _fill_hidden_cells(case: TableCase, other: TableCase) -> TableCase | None:
    """The table with hidden counts filled in from the same cells of another; None when nothing can be filled in."""
    counts = case.columns_of(ColumnRole.COUNT, ColumnRole.POSSIBLE_COUNT)
    shown = {
        comparison_name(column): column for column in other.columns_of(ColumnRole.COUNT, ColumnRole.POSSIBLE_COUNT)
    }
    pairs = list(aligned_keys(case, other)) if any(column.hidden for column in counts) else []
    if not pairs:
        return None
    rows = _unique_rows([shown_column for _, shown_column in pairs], other)
    columns, changed = list(case.grid.columns), False
    for column in counts:
        shown_column = shown.get(comparison_name(column))
        texts = list(column.texts)
        for row in column.hidden if shown_column is not None else ():
            match = rows.get(tuple(normalized(key.texts[row]) for key, _ in pairs))
            if shown_column is not None and match is not None and shown_column.numbers[match] is not None:
                texts[row], changed = shown_column.texts[match], True
        columns[column.number] = GridColumn(column.name, column.number, tuple(texts))
    return replace(case, grid=Grid(tuple(columns), case.grid.label)) if changed else None


def _unique_rows(keys: list[GridColumn], case: TableCase) -> Mapping[Key, int]:
    """The row number of each key that occurs in one row only."""
    rows_by_key: dict[Key, list[int]] = {}
    for row in range(case.grid.rows):
        rows_by_key.setdefault(tuple(normalized(column.texts[row]) for column in keys), []).append(row)
    return {key: rows[0] for key, rows in rows_by_key.items() if len(rows) == 1}
