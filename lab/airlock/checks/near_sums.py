"""Two sums of one group that differ by little (差额): the difference may be one subject's amount."""

from __future__ import annotations

from collections.abc import Iterator

from lab.airlock.checks.column_roles import Part
from lab.airlock.checks.differencing import Placed
from lab.airlock.checks.measures import Measure
from lab.airlock.checks.table_alignment import matched, rows_of, summed
from lab.airlock.checks.trouble import PLACES, Trouble, review
from lab.airlock.thresholds import Thresholds


def near_sums(new: Placed, old: Placed, t: Thresholds) -> Iterator[Trouble]:
    """Sums of the same group that differ by little, with no counts beside them to say by how many subjects."""
    if new.case.of(Part.COUNT) or old.case.of(Part.COUNT):
        return
    keys = list(matched(new.case, old.case))
    for one in new.case.of(Part.AMOUNT):
        for other in old.case.of(Part.AMOUNT):
            ours = summed(new.case, [mine for mine, _ in keys], Measure.plain(one))
            theirs = summed(old.case, [each for _, each in keys], Measure.plain(other))
            cells = [
                f"{rows_of(new.case, [mine for mine, _ in keys], key)}, {one.shown}"
                for key in ours.keys() & theirs.keys()
                if _little(ours[key], theirs[key], t["sum_difference_share"])
            ]
            if cells:
                yield review(
                    f"sums that differ little from those of {old.where}: the difference may be one subject's",
                    "Add the counts behind both, or use the same population",
                    this=new.where, against=old.where, cells=cells[:PLACES], how_many=len(cells),
                )  # fmt: skip


def _little(a: float | None, b: float | None, share: float) -> bool:
    return a is not None and b is not None and 0 < abs(a - b) < share * max(abs(a), abs(b))
