"""Cells hidden in one table and shown in another (跨表还原): with them filled in, totals may give the rest back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from lab.airlock.checks.column_roles import Part
from lab.airlock.checks.differencing import Placed
from lab.airlock.checks.marginal_attack import given_back
from lab.airlock.checks.measures import name_of
from lab.airlock.checks.small_cells import TableCase
from lab.airlock.checks.table_alignment import Key, matched, plain
from lab.airlock.checks.trouble import Trouble
from lab.airlock.files.grid import Column, Grid
from lab.airlock.thresholds import Thresholds


def unhidden(new: Placed, old: Placed, t: Thresholds) -> Iterator[Trouble]:
    """What is hidden in either table stays hidden beside the other."""
    for one, other in ((new, old), (old, new)):
        filled = _filled(one.case, other.case)
        if filled is None:
            continue
        before = {cell for trouble in given_back(one.case, t) for cell in trouble.evidence["cells"]}
        for trouble in given_back(filled, t):
            if set(trouble.evidence.get("cells", ())) - before:
                told = {**trouble.evidence, "this": one.where, "against": other.where}
                why = f"with the cells shown in {other.where}, totals give back what is hidden in {one.where}"
                fix = f"Hide the same cells in both, as in {old.where}"
                yield Trouble(trouble.outcome, why, fix, told)


def _filled(case: TableCase, other: TableCase) -> TableCase | None:
    """The table with its hidden counts filled in from the same cells of another; None when there are none."""
    counts = case.of(Part.COUNT, Part.WHOLE)
    shown = {name_of(column): column for column in other.of(Part.COUNT, Part.WHOLE)}
    pairs = list(matched(case, other)) if any(column.hidden for column in counts) else []
    if not pairs:
        return None
    rows = _rows([theirs for _, theirs in pairs], other)
    columns, changed = list(case.grid.columns), False
    for column in counts:
        theirs = shown.get(name_of(column))
        texts = list(column.texts)
        for row in column.hidden if theirs is not None else ():
            found = rows.get(tuple(plain(mine.texts[row]) for mine, _ in pairs))
            if theirs is not None and found is not None and theirs.numbers[found] is not None:
                texts[row], changed = theirs.texts[found], True
        columns[column.number] = Column(column.name, column.number, tuple(texts))
    return replace(case, grid=Grid(tuple(columns), case.grid.label)) if changed else None


def _rows(keys: list[Column], case: TableCase) -> Mapping[Key, int]:
    """The row of each key that only one row has."""
    found: dict[Key, list[int]] = {}
    for row in range(case.grid.rows):
        found.setdefault(tuple(plain(column.texts[row]) for column in keys), []).append(row)
    return {key: rows[0] for key, rows in found.items() if len(rows) == 1}
