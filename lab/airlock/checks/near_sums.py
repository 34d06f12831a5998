"""Two sums of one group that differ by little (差额), so that the difference may be the amount of one subject."""

from __future__ import annotations

from collections.abc import Iterator

from credit.messages import Text
from lab.airlock.checks.column_roles import ColumnRole
from lab.airlock.checks.differencing import LocatedTable
from lab.airlock.checks.measures import Measure
from lab.airlock.checks.table_alignment import aligned_keys, describe_rows, sum_by_key
from lab.airlock.issue import PLACES_LISTED, Issue, review
from lab.airlock.thresholds import Thresholds


def near_sums(new: LocatedTable, old: LocatedTable, t: Thresholds) -> Iterator[Issue]:
    """Report sums of the same group that differ by little, when no counts show by how many subjects they differ."""
    if new.case.columns_of(ColumnRole.COUNT) or old.case.columns_of(ColumnRole.COUNT):
        return
    keys = list(aligned_keys(new.case, old.case))
    for new_column in new.case.columns_of(ColumnRole.AMOUNT):
        for old_column in old.case.columns_of(ColumnRole.AMOUNT):
            new_sums = sum_by_key(new.case, [new_key for new_key, _ in keys], Measure.of_column(new_column))
            old_sums = sum_by_key(old.case, [old_key for _, old_key in keys], Measure.of_column(old_column))
            cells = [
                f"{describe_rows(new.case, [new_key for new_key, _ in keys], key)}, {new_column.display_name}"
                for key in new_sums.keys() & old_sums.keys()
                if _differ_little(new_sums[key], old_sums[key], t["sum_difference_share"])
            ]
            if cells:
                yield review(
                    Text.of("airlock.near-sums", table=old.where),
                    Text.of("airlock.near-sums-fix"),
                    this=new.where, against=old.where, cells=cells[:PLACES_LISTED], how_many=len(cells),
                )  # fmt: skip


def _differ_little(a: float | None, b: float | None, share: float) -> bool:
    return a is not None and b is not None and 0 < abs(a - b) < share * max(abs(a), abs(b))
