"""The measures of a table that can be subtracted (可相减的度量): its counts, and counts computed from its shares."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from lab.airlock.checks.column_roles import ColumnRole
from lab.airlock.checks.small_cells import TableCase, fractions, scale_of
from lab.airlock.grid import GridColumn

_COUNT_WORDS = re.compile(
    r"n|#|k|nobs|size|counts?|cnt|num|freq|frequency|subjects|firms|户数|家数|个数|数量|计数|频数|数|主体数|企业数",
    re.I,
)


@dataclass(frozen=True)
class Measure:
    """A column of counts. ``counts_subjects``: it certainly counts subjects. ``exact``: the error is below one half.

    ``derived``: computed from a share, whose population only the numbers show.
    """

    name: str
    display_name: str
    values: tuple[float | None, ...]
    counts_subjects: bool
    exact: bool = True
    derived: bool = False

    @classmethod
    def of_column(cls, column: GridColumn) -> Measure:
        """The measure of a column as it is."""
        return cls(" ".join(column.name.split()).casefold(), column.display_name, column.numbers, False)

    def rounded(self, base: int) -> bool:
        """True when every number is a multiple of ``base``, and so stands for a range."""
        return all(n is None or n % base == 0 for n in self.values)

    def whole_numbers(self) -> list[int]:
        """The numbers, rounded to whole ones."""
        return [round(n) for n in self.values if n is not None]

    def row_of(self, value: int) -> int:
        """The first row with this value."""
        return next(row for row, n in enumerate(self.values) if n is not None and round(n) == value)


def measures_of(case: TableCase, known: int) -> Sequence[Measure]:
    """The counts of a table, and its shares times their denominators.

    ``known`` is the number of subjects to assume when the table does not state it.
    """
    counts = case.columns_of(ColumnRole.COUNT)
    measures = [_measure(column, case) for column in case.columns_of(ColumnRole.COUNT, ColumnRole.POSSIBLE_COUNT)]
    for column in case.columns_of(ColumnRole.SHARE):
        shares = fractions(column)
        shares_in_rows = [share for row, share in enumerate(shares) if share is not None and row not in case.totals]
        adds_up = len(shares_in_rows) > 1 and abs(sum(shares_in_rows) - 1) < 0.02
        row_counts = counts[0].numbers if counts and not adds_up else None
        total_subjects = float(case.about.subjects or known)
        denominators = [row_counts[row] if row_counts else total_subjects for row in range(case.grid.rows)]
        values = tuple(
            None if share is None or not denominator else share * denominator
            for share, denominator in zip(shares, denominators, strict=True)
        )
        # A share with d decimals has an error of half a step; times its total this must be less than half a subject.
        step = 0.5 * 10.0**-column.decimals / scale_of(column)
        exact = step * max((denominator for denominator in denominators if denominator), default=0.0) < 0.5
        name = "count" if adds_up else column.name.casefold()
        if any(value is not None for value in values):
            rounded_values = tuple(float(round(v)) if v is not None and exact else v for v in values)
            measures.append(Measure(name, column.display_name, rounded_values, adds_up, exact, derived=True))
    return measures


def _measure(column: GridColumn, case: TableCase) -> Measure:
    return Measure(
        comparison_name(column), column.display_name, column.numbers, case.roles[column.number] is ColumnRole.COUNT
    )


def comparison_name(column: GridColumn) -> str:
    """A column's name for comparison: all names that only mean "count" are equal."""
    name = " ".join(column.name.split()).casefold()
    return "count" if _COUNT_WORDS.fullmatch(name) else name
