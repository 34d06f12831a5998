"""Recovering hidden cells from totals (互补隐藏): a hidden cell that the totals determine is not protected.

Every total is an equation over cells. A hidden cell is recoverable when the equations leave one value for it, and also
when they bound it more closely than the threshold allows, since every hidden count is 0 or more. Source: secondary
suppression, Hundepool et al., Statistical Disclosure Control (2012), chapter 4.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

from credit.messages import Text
from lab.airlock.checks.column_roles import TOTAL_NAME, ColumnRole
from lab.airlock.checks.small_cells import TableCase
from lab.airlock.grid import GridColumn
from lab.airlock.issue import Check, Issue, fail, places, review
from lab.airlock.thresholds import Thresholds

Cell = tuple[int, int]  # row, column
UNKNOWNS = 100  # with more hidden cells the equations are not solved, and a reviewer decides


@dataclass(frozen=True)
class Equation:
    """The hidden ``cells`` add up to ``rest``."""

    cells: frozenset[Cell]
    rest: float


def recoverable_cells(case: TableCase, t: Thresholds) -> Iterator[Issue]:
    """No hidden count can be computed from the totals and the cells that are shown."""
    counts = case.columns_of(ColumnRole.COUNT, ColumnRole.POSSIBLE_COUNT)
    hidden = {(row, column.number) for column in counts for row in column.hidden}
    if not hidden:
        return
    equations = [each for each in _equations(case, counts) if each.cells]
    if len(hidden) > UNKNOWNS:
        yield review(Text.of("airlock.too-many-hidden", count=len(hidden)), Text.of("airlock.too-many-hidden-fix"))
        return
    base = t["rounding_base"]
    rounded = all(n is None or n % base == 0 for column in counts for n in column.numbers)
    recoverable = sorted(_uniquely_determined(equations) | _narrowly_bounded(equations, t["count_at_least"]))
    if not recoverable:
        return
    names = {column.number: column.display_name for column in counts}
    evidence = places([(row, names[column]) for row, column in recoverable])
    fix = Text.of("airlock.hidden-fix")
    if rounded:
        yield review(Text.of("airlock.hidden-rounded"), fix, **evidence)
    else:
        yield fail(Text.of("airlock.hidden"), fix, **evidence)


def _equations(case: TableCase, counts: Sequence[GridColumn]) -> Iterator[Equation]:
    """One equation per row with a total column, per total row, and for the total number of subjects."""
    totals = [column for column in counts if TOTAL_NAME.fullmatch(column.name)]
    parts = [column for column in counts if column not in totals]
    for total in totals:
        for row in range(case.grid.rows):
            yield from _sum([(row, each) for each in parts], total.numbers[row])
    keys = [column for column in case.grid.columns if case.roles[column.number] is ColumnRole.KEY]
    inner = [row for row in range(case.grid.rows) if row not in case.totals]
    for row in sorted(case.totals):
        # The rows that a total covers: those that agree with it in every key that does not read "total".
        stated_keys = [key for key in keys if not _is_total_label(case, key, row)]
        below = [each for each in inner if all(key.texts[each] == key.texts[row] for key in stated_keys)]
        for column in counts:
            yield from _sum([(each, column) for each in below], column.numbers[row])
    if case.about.subjects and not case.totals and not totals and len(parts) == 1:
        yield from _sum([(row, parts[0]) for row in inner], float(case.about.subjects))


def _is_total_label(case: TableCase, key: GridColumn, row: int) -> bool:
    return (
        row in case.totals
        and not key.numeric
        and key.texts[row] not in {key.texts[each] for each in range(case.grid.rows) if each not in case.totals}
    )


def _sum(cells: list[tuple[int, GridColumn]], total: float | None) -> Iterator[Equation]:
    if total is None or not cells:
        return
    unknown = frozenset((row, column.number) for row, column in cells if column.numbers[row] is None)
    known = sum(n for row, column in cells if (n := column.numbers[row]) is not None)
    yield Equation(unknown, total - known)


def _uniquely_determined(equations: Sequence[Equation]) -> set[Cell]:
    """Cells with one possible value: rows of the reduced system with one unknown (exact Gauss–Jordan elimination)."""
    unknowns = sorted(set().union(*(each.cells for each in equations))) if equations else []
    rows = [[Fraction(cell in each.cells) for cell in unknowns] for each in equations]
    pivot = 0
    for column in range(len(unknowns)):
        chosen = next((n for n in range(pivot, len(rows)) if rows[n][column]), None)
        if chosen is None:
            continue
        rows[pivot], rows[chosen] = rows[chosen], rows[pivot]
        lead = rows[pivot][column]
        rows[pivot] = [value / lead for value in rows[pivot]]
        for n, row in enumerate(rows):
            if n != pivot and row[column]:
                factor = row[column]
                rows[n] = [value - factor * lead for value, lead in zip(row, rows[pivot], strict=True)]
        pivot += 1
    single = (row for row in rows if sum(value != 0 for value in row) == 1)
    return {unknowns[next(n for n, value in enumerate(row) if value)] for row in single}


def _narrowly_bounded(equations: Sequence[Equation], minimum: int) -> set[Cell]:
    """The cells of a sum so small that each cell is known to be 0, 1 or 2, closer than the threshold allows."""
    return {
        cell
        for each in equations
        if len(each.cells) > 1 and each.rest < min(len(each.cells) + 1, minimum)
        for cell in each.cells
    }


CHECKS: tuple[Check[TableCase], ...] = (("hidden cells", recoverable_cells),)
