"""Matching rows and columns of two tables (表间匹配), by their values and then by their names."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from lab.airlock.checks.column_roles import ColumnRole
from lab.airlock.checks.measures import Measure
from lab.airlock.checks.small_cells import TableCase
from lab.airlock.grid import GridColumn

Key = tuple[str, ...]


def sum_by_key(case: TableCase, keys: Sequence[GridColumn], measure: Measure) -> dict[Key, float | None]:
    """The sum of a measure per key, over all other columns; None where the sum includes a hidden cell."""
    sums: dict[Key, float | None] = {}
    for row, value in enumerate(measure.values):
        if row in case.totals:
            continue
        key = tuple(normalized(column.texts[row]) for column in keys)
        before = sums.get(key, 0.0)
        sums[key] = None if value is None or before is None else before + value
    if (not keys and None in sums.values()) or not sums:
        whole = [measure.values[row] for row in case.totals]
        if len(whole) == 1:
            sums[()] = whole[0]
    return sums


def describe_rows(case: TableCase, keys: Sequence[GridColumn], key: Key) -> str:
    """The rows that have a key, for messages; rows are numbered from 1."""
    rows = [row for row in range(case.grid.rows) if tuple(normalized(c.texts[row]) for c in keys) == key]
    return f"row {rows[0] + 1}" if len(rows) == 1 else f"rows {', '.join(str(row + 1) for row in rows[:4])} together"


def aligned_keys(new: TableCase, old: TableCase) -> Iterator[tuple[GridColumn, GridColumn]]:
    """Pairs of key columns of two tables with the same meaning, by the share of common values and by name."""
    free = old.columns_of(ColumnRole.KEY)
    for new_column in new.columns_of(ColumnRole.KEY):
        values = {normalized(text) for text in new_column.texts}
        best, score = None, 0.0
        for old_column in free:
            others = {normalized(text) for text in old_column.texts}
            both = len(values & others) / min(len(values), len(others)) if values and others else 0.0
            named = normalized(new_column.name) == normalized(old_column.name)
            enough = (
                both > 0
                if named or not (new_column.numeric and old_column.numeric)
                else both >= 0.5 and len(values) > 1
            )
            if enough and both + named > score:
                best, score = old_column, both + named
        if best is not None:
            free = [each for each in free if each is not best]
            yield new_column, best


def normalized(text: str) -> str:
    """A text for comparison: white space collapsed, case folded."""
    return " ".join(text.split()).casefold()
