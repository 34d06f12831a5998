"""Which rows and columns of two tables speak of the same (表间匹配): by what they hold, then by their names."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from lab.airlock.checks.column_roles import Part
from lab.airlock.checks.measures import Measure
from lab.airlock.checks.small_cells import TableCase
from lab.airlock.files.grid import Column

Key = tuple[str, ...]


def summed(case: TableCase, keys: Sequence[Column], measure: Measure) -> dict[Key, float | None]:
    """The measure by key, added up over everything else; None where a hidden cell is in it."""
    found: dict[Key, float | None] = {}
    for row, value in enumerate(measure.values):
        if row in case.totals:
            continue
        key = tuple(plain(column.texts[row]) for column in keys)
        before = found.get(key, 0.0)
        found[key] = None if value is None or before is None else before + value
    if (not keys and None in found.values()) or not found:
        whole = [measure.values[row] for row in case.totals]
        if len(whole) == 1:
            found[()] = whole[0]
    return found


def rows_of(case: TableCase, keys: Sequence[Column], key: Key) -> str:
    rows = [row for row in range(case.grid.rows) if tuple(plain(c.texts[row]) for c in keys) == key]
    return f"row {rows[0] + 1}" if len(rows) == 1 else f"rows {', '.join(str(row + 1) for row in rows[:4])} together"


def matched(new: TableCase, old: TableCase) -> Iterator[tuple[Column, Column]]:
    """Key columns of two tables that speak of the same: by the share of values they have in common, then by name."""
    free = old.of(Part.KEY)
    for mine in new.of(Part.KEY):
        values = {plain(text) for text in mine.texts}
        best, score = None, 0.0
        for theirs in free:
            others = {plain(text) for text in theirs.texts}
            both = len(values & others) / min(len(values), len(others)) if values and others else 0.0
            named = plain(mine.name) == plain(theirs.name)
            enough = both > 0 if named or not (mine.numeric and theirs.numeric) else both >= 0.5 and len(values) > 1
            if enough and both + named > score:
                best, score = theirs, both + named
        if best is not None:
            free = [each for each in free if each is not best]
            yield mine, best


def plain(text: str) -> str:
    return " ".join(text.split()).casefold()
