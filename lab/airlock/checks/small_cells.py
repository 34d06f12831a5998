"""Small cells of a table (小单元格): small counts, exact counts, and shares or differences that reveal small counts.

The minimum of 10 subjects per cell follows the ESSNet Guidelines for the checking of output based on microdata research
(2010); rounding counts to multiples of 5 follows OpenSAFELY's output rules.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

from credit.messages import Text
from lab.airlock.checks.column_roles import TOTAL_NAME, ColumnRole, names_a_count, roles_of, total_rows
from lab.airlock.grid import Grid, GridColumn
from lab.airlock.issue import Check, Issue, fail, places, review
from lab.airlock.parcel_context import FileDescription
from lab.airlock.thresholds import Thresholds

POINTS_OF_CURVE, END = 10, 0.02  # points of a curve at least, and how near 0 and 1 it comes


@dataclass(frozen=True)
class TableCase:
    """A table and the researcher's description of its file."""

    grid: Grid
    about: FileDescription

    @cached_property
    def roles(self) -> dict[int, ColumnRole]:
        """The role of each column, by its number."""
        return roles_of(self.grid, self.about.counts)

    @cached_property
    def totals(self) -> frozenset[int]:
        """The numbers of the rows that are totals."""
        return total_rows(self.grid, self.roles)

    @property
    def largest_count(self) -> float:
        """The largest count of subjects in a cell; 0 in a table without one."""
        counts = [n for column in self.columns_of(ColumnRole.COUNT) for n in column.numbers if n is not None]
        return max(counts, default=0)

    def columns_of(self, *roles: ColumnRole) -> list[GridColumn]:
        """The columns with one of these roles."""
        return [column for column in self.grid.columns if self.roles[column.number] in roles]


def small_counts(case: TableCase, t: Thresholds) -> Iterator[Issue]:
    """No cell counts 1 to ``count_at_least - 1`` subjects (最小频数). Zeros describe a whole group and need review."""
    minimum = t["count_at_least"]
    small = {
        role: list(_below(case.columns_of(role), minimum)) for role in (ColumnRole.COUNT, ColumnRole.POSSIBLE_COUNT)
    }
    fix = Text.of("airlock.small-cells-fix", least=minimum)
    if small[ColumnRole.COUNT]:
        yield fail(Text.of("airlock.small-cells", least=minimum), fix, **places(small[ColumnRole.COUNT]))
    if small[ColumnRole.POSSIBLE_COUNT]:
        why = Text.of("airlock.possible-small-cells", least=minimum)
        yield review(
            why,
            Text.of("airlock.possible-small-cells-fix", fix=fix),
            **places(small[ColumnRole.POSSIBLE_COUNT]),
        )
    fractional = [column.display_name for column in case.columns_of(ColumnRole.COUNT) if not column.whole]
    if fractional:
        yield review(Text.of("airlock.not-whole"), Text.of("airlock.not-whole-fix"), columns=fractional)
    rows = list(_counting_rows(case, minimum))
    if rows:
        yield fail(Text.of("airlock.small-rows", least=minimum), fix, **places(rows))
    zeros = [
        (row, column.display_name)
        for column in case.columns_of(ColumnRole.COUNT)
        for row, n in enumerate(column.numbers)
        if n == 0
    ]
    if zeros:
        why = Text.of("airlock.zeros")
        yield review(why, Text.of("airlock.zeros-fix"), **places(zeros))


def rounded_counts(case: TableCase, t: Thresholds) -> Iterator[Issue]:
    """Counts are multiples of ``rounding_base`` (取整), since exact counts of two tables can be subtracted."""
    base = t["rounding_base"]
    exact = [
        (row, column.display_name)
        for column in case.columns_of(ColumnRole.COUNT, ColumnRole.POSSIBLE_COUNT)
        for row, n in enumerate(column.numbers)
        if n is not None and n % base
    ]
    if exact:
        why = Text.of("airlock.not-rounded", base=base)
        yield review(why, Text.of("airlock.not-rounded-fix", base=base), **places(exact))


def small_by_share(case: TableCase, t: Thresholds) -> Iterator[Issue]:
    """No share times its total is a small count (占比还原), nor is the remaining share."""
    minimum = t["count_at_least"]
    shares = case.columns_of(ColumnRole.SHARE)
    small: list[tuple[int, str]] = []
    ends: list[tuple[int, str]] = []
    unknown = []
    for column in shares:
        too_few = ends if _is_curve(case, column) else small
        for row, share in enumerate(fractions(column)):
            if share is None or not 0 <= share <= 1:
                continue
            denominator = _denominator(case, column, row)
            if not denominator:
                unknown.append((row, column.display_name))
            elif any(0.5 <= part * denominator < minimum - 0.5 for part in (share, 1 - share)):
                too_few.append((row, column.display_name))
    if ends:
        why = Text.of("airlock.curve-ends", least=minimum)
        yield review(why, Text.of("airlock.curve-ends-fix"), **places(ends))
    if small:
        why = Text.of("airlock.small-shares", least=minimum)
        yield fail(why, Text.of("airlock.small-shares-fix"), **places(small))
    if unknown:
        why = Text.of("airlock.shares-alone")
        yield review(why, Text.of("airlock.shares-alone-fix"), **places(unknown))


def small_by_difference(case: TableCase, t: Thresholds) -> Iterator[Issue]:
    """No count is only a few less than a count of the same row that includes it (差分): the rest is a small cell."""
    minimum, columns = t["count_at_least"], case.columns_of(ColumnRole.COUNT, ColumnRole.POSSIBLE_COUNT)
    for whole in columns:
        for part in columns:
            pairs = [
                (row, a - b)
                for row, (a, b) in enumerate(zip(whole.numbers, part.numbers, strict=True))
                if a is not None and b is not None
            ]
            if whole is part or not pairs or any(rest < 0 for _, rest in pairs):
                continue
            close_cells = [
                (row, f"{whole.display_name} less {part.display_name}") for row, rest in pairs if 0 < rest < minimum
            ]
            if not close_cells:
                continue
            certain = bool(TOTAL_NAME.fullmatch(whole.name)) or whole.name.lower() in ("n", "count", "户数", "数量")
            make_issue = fail if certain and case.roles[part.number] is ColumnRole.COUNT else review
            why = Text.of("airlock.difference-small", least=minimum)
            yield make_issue(why, Text.of("airlock.difference-small-fix"), **places(close_cells))


def _counting_rows(case: TableCase, minimum: int) -> Iterator[tuple[int, str]]:
    """Small whole numbers in rows whose key names a count, as in transposed tables and in long format."""
    keys = [column for column in case.columns_of(ColumnRole.KEY) if not column.numeric]
    for row in range(case.grid.rows):
        if any(names_a_count(key.texts[row]) for key in keys):
            for column in case.columns_of(
                ColumnRole.NUMBER, ColumnRole.POSSIBLE_COUNT, ColumnRole.KEY, ColumnRole.AMOUNT
            ):
                number = column.numbers[row]
                if column.numeric and number is not None and 0 < number < minimum and number == int(number):
                    yield row, column.display_name


def _below(columns: list[GridColumn], minimum: int) -> Iterator[tuple[int, str]]:
    for column in columns:
        yield from (
            (row, column.display_name) for row, n in enumerate(column.numbers) if n is not None and 0 < n < minimum
        )


def _is_curve(case: TableCase, column: GridColumn) -> bool:
    """True for shares that go from 0 to 1 without turning back, as those of a ROC or a gains curve do."""
    values = [n for row, n in enumerate(fractions(column)) if n is not None and row not in case.totals]
    steps = {(b > a) - (b < a) for a, b in pairwise(values)} - {0}
    whole = len(values) >= POINTS_OF_CURVE and min(values) <= END and max(values) >= 1 - END
    return whole and len(steps) == 1


def fractions(column: GridColumn) -> list[float | None]:
    """The shares of a column as fractions of 1, whether written as 0.1, 10 or 10%."""
    return [None if n is None else n / scale_of(column) for n in column.numbers]


def scale_of(column: GridColumn) -> float:
    """The value of a whole in a column of shares: 100 for percentages, else 1."""
    return 100.0 if column.percent or max((n for n in column.numbers if n is not None), default=0) > 1 else 1.0


def _denominator(case: TableCase, column: GridColumn, row: int) -> float:
    """The number of subjects that a share refers to; 0 when it is unknown.

    It is the largest count of the row, or the number of all subjects when the column adds up to 1.
    """
    counts = case.columns_of(ColumnRole.COUNT)
    shares_in_rows = [share for n, share in enumerate(fractions(column)) if share is not None and n not in case.totals]
    adds_up = len(shares_in_rows) > 1 and abs(sum(shares_in_rows) - 1) < 0.02
    if adds_up:
        whole = [sum(n for r, n in enumerate(c.numbers) if n is not None and r not in case.totals) for c in counts]
        return max(whole, default=0) or float(case.about.subjects)
    row_counts = [n for each in counts if (n := each.numbers[row]) is not None]
    return max(row_counts, default=0) or float(case.about.subjects)


CHECKS: tuple[Check[TableCase], ...] = (
    ("small counts", small_counts),
    ("rounding", rounded_counts),
    ("small counts by share", small_by_share),
    ("small counts by difference", small_by_difference),
)
