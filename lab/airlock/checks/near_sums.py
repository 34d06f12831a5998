"""Two values of one group that differ by little (差额), so that the difference may be the amount of one subject.

Sums, means, variances, medians and quantiles, whose difference follows from one subject more or less. Counts beside
them that are far enough apart show that more than a few subjects differ.
"""

from __future__ import annotations

from collections.abc import Iterator

from credit.messages import Text
from lab.airlock.checks.column_roles import ColumnRole
from lab.airlock.checks.differencing import LocatedTable
from lab.airlock.checks.measures import Measure, comparison_name
from lab.airlock.checks.small_cells import TableCase
from lab.airlock.checks.table_alignment import Key, aligned_keys, describe_rows, sum_by_key
from lab.airlock.grid import GridColumn
from lab.airlock.issue import PLACES_LISTED, Issue, review
from lab.airlock.thresholds import Thresholds

_VALUES = (ColumnRole.AMOUNT, ColumnRole.NUMBER, ColumnRole.EXTREME)
Keys = list[tuple[GridColumn, GridColumn]]


def near_sums(new: LocatedTable, old: LocatedTable, t: Thresholds) -> Iterator[Issue]:
    """Report values of the same group that differ by little, unless counts show that many subjects differ."""
    keys = list(aligned_keys(new.case, old.case))
    apart = _far_apart(new.case, old.case, keys, t)
    for new_column in new.case.columns_of(*_VALUES):
        for old_column in old.case.columns_of(*_VALUES):
            if not _comparable(new_column, old_column, new.case, old.case):
                continue
            new_values, old_values = _values(new_column, old_column, new.case, old.case, keys)
            cells = [
                f"{describe_rows(new.case, [new_key for new_key, _ in keys], key)}, {new_column.display_name}"
                for key in new_values.keys() & old_values.keys()
                if key not in apart and _differ_little(new_values[key], old_values[key], t["sum_difference_share"])
            ]
            if cells:
                yield review(
                    Text.of("airlock.near-sums", table=old.where),
                    Text.of("airlock.near-sums-fix"),
                    this=new.where, against=old.where, cells=sorted(cells)[:PLACES_LISTED], how_many=len(cells),
                )  # fmt: skip


def _comparable(new: GridColumn, old: GridColumn, new_case: TableCase, old_case: TableCase) -> bool:
    """Sums are compared with every sum, since a name decides nothing; other statistics with those of their name."""
    roles = {new_case.roles[new.number], old_case.roles[old.number]}
    return roles == {ColumnRole.AMOUNT} or comparison_name(new) == comparison_name(old)


def _values(
    new_column: GridColumn, old_column: GridColumn, new: TableCase, old: TableCase, keys: Keys
) -> tuple[dict[Key, float | None], dict[Key, float | None]]:
    """The value of each group of both tables: sums over its rows, and other statistics where it has one row."""
    values = []
    for n, (case, column) in enumerate(((new, new_column), (old, old_column))):
        sums = sum_by_key(case, [pair[n] for pair in keys], Measure.of_column(column))
        alone = len(sums) == case.grid.rows - len(case.totals)
        values.append(sums if alone or case.roles[column.number] is ColumnRole.AMOUNT else {})
    return values[0], values[1]


def _far_apart(new: TableCase, old: TableCase, keys: Keys, t: Thresholds) -> set[Key]:
    """The groups whose counts of one name differ by so much that more than a few subjects do, rounded or not."""
    least, base = t["count_at_least"], t["rounding_base"]
    apart: set[Key] = set()
    for new_column in new.columns_of(ColumnRole.COUNT):
        for old_column in old.columns_of(ColumnRole.COUNT):
            if comparison_name(new_column) != comparison_name(old_column):
                continue
            own = sum_by_key(new, [new_key for new_key, _ in keys], Measure.of_column(new_column))
            theirs = sum_by_key(old, [old_key for _, old_key in keys], Measure.of_column(old_column))
            for key in own.keys() & theirs.keys():
                a, b = own[key], theirs[key]
                if a is not None and b is not None and abs(a - b) >= least + base:
                    apart.add(key)
    return apart


def _differ_little(a: float | None, b: float | None, share: float) -> bool:
    return a is not None and b is not None and 0 < abs(a - b) < share * max(abs(a), abs(b))
