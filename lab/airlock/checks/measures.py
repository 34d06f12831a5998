"""What of a table can be subtracted (可相减的度量): its counts, and the counts that its shares give back."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from lab.airlock.checks.column_roles import Part
from lab.airlock.checks.small_cells import TableCase, fractions, scale_of
from lab.airlock.files.grid import Column

_COUNT_WORDS = re.compile(
    r"n|#|k|nobs|size|counts?|cnt|num|freq|frequency|subjects|firms|户数|家数|个数|数量|计数|频数|数|主体数|企业数",
    re.I,
)


@dataclass(frozen=True)
class Measure:
    """A column of counts. ``counts``: it surely counts subjects; ``exact``: each number is known to less than half."""

    name: str
    shown: str
    values: tuple[float | None, ...]
    counts: bool
    exact: bool = True
    derived: bool = False  # from a share: of what, only the numbers tell

    @classmethod
    def plain(cls, column: Column) -> Measure:
        """A column as it is."""
        return cls(" ".join(column.name.split()).casefold(), column.shown, column.numbers, False)

    def rounded(self, base: int) -> bool:
        """True when every number is a multiple of the base, so that it stands for a range."""
        return all(n is None or n % base == 0 for n in self.values)

    def counted(self) -> list[int]:
        """Its numbers as whole ones."""
        return [round(n) for n in self.values if n is not None]

    def row_of(self, value: int) -> int:
        """The first row that holds a number."""
        return next(row for row, n in enumerate(self.values) if n is not None and round(n) == value)


def measures_of(case: TableCase, known: int) -> Sequence[Measure]:
    """The counts of a table, and its shares times what they are of; ``known`` subjects in all if it does not say."""
    counts = case.of(Part.COUNT)
    found = [_measure(column, case) for column in case.of(Part.COUNT, Part.WHOLE)]
    for column in case.of(Part.SHARE):
        shares = fractions(column)
        inside = [share for row, share in enumerate(shares) if share is not None and row not in case.totals]
        adds_up = len(inside) > 1 and abs(sum(inside) - 1) < 0.02
        beside = counts[0].numbers if counts and not adds_up else None
        whole = float(case.about.subjects or known)
        behind = [beside[row] if beside else whole for row in range(case.grid.rows)]
        values = tuple(
            None if share is None or not many else share * many for share, many in zip(shares, behind, strict=True)
        )
        # A share of d decimals is known to half a step: times its total that must be less than half a subject.
        step = 0.5 * 10.0**-column.decimals / scale_of(column)
        exact = step * max((many for many in behind if many), default=0.0) < 0.5
        name = "count" if adds_up else column.name.casefold()
        if any(value is not None for value in values):
            whole_ones = tuple(float(round(v)) if v is not None and exact else v for v in values)
            found.append(Measure(name, column.shown, whole_ones, adds_up, exact, derived=True))
    return found


def _measure(column: Column, case: TableCase) -> Measure:
    return Measure(name_of(column), column.shown, column.numbers, case.parts[column.number] is Part.COUNT)


def name_of(column: Column) -> str:
    """A column's name as it is compared: all words that just say "count" are one."""
    name = " ".join(column.name.split()).casefold()
    return "count" if _COUNT_WORDS.fullmatch(name) else name
