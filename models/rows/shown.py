"""What a release shows of exact rows: every column constant within groups, by who may already know it.

A column that is open, or closed, or derives from several market tables, shows the value of its group in the partition
by what is open. A column of one market table shows the value of its group in that table's own partition, so that a
bank, with all it knows of its own loans, meets at least ``k`` rows that look the same. A group is shown whole or not at
all: a population is a condition over what open columns show, and a sample draws groups.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.lineage.exposure import ExposedColumn, Exposure
from models.rows.observed import ExactRows
from models.rows.partition.columns import Column
from models.rows.partition.group_values import group_values
from models.rows.partition.stored import OPEN, Partition


@dataclass(frozen=True, slots=True, eq=False)
class ShownRows:
    """The n rows of a release before they are shuffled, with what compute alone knows of them.

    ``groups`` (n,) are the groups by what is open, over all days; ``exact`` are the rows behind, in the same order.
    """

    exact: ExactRows
    groups: NDArray[np.int64]
    columns: Mapping[str, Column]
    labels: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.exact)

    def where(self, chosen: NDArray[Any]) -> ShownRows:
        """The rows of a mask, or in the order of an index."""
        columns = {name: column[chosen] for name, column in self.columns.items()}
        return ShownRows(self.exact.where(chosen), self.groups[chosen], columns, self.labels[chosen])


def partition_of(column: ExposedColumn) -> str:
    """The name of the partition that a column is made alike by."""
    if column.exposure is Exposure.MARKET and len(column.tables) == 1:
        return next(iter(column.tables))
    return OPEN


def shown_rows(
    exact: ExactRows, columns: Mapping[str, ExposedColumn], partitions: Mapping[Any, Partition], k: int
) -> tuple[ShownRows, int]:
    """The rows as they are shown, and how many subjects are left out: those of no group of a day's partition.

    ``partitions`` are by day. A group of which fewer than ``k`` members are left, as others were withdrawn, is left
    out as a whole.
    """
    parts, left_out, first = [], 0, 0
    for day in np.unique(exact.days):
        rows = exact.where(exact.days == day)
        partition = partitions[day.astype(object)]
        places = partition.places(rows.subjects)
        open_groups = np.where(places >= 0, partition.groups[OPEN][places], -1)
        present = np.bincount(open_groups[open_groups >= 0], minlength=1)
        kept = (open_groups >= 0) & (present[np.maximum(open_groups, 0)] >= k)
        left_out += int((~kept).sum())
        rows, places = rows.where(kept), places[kept]
        shown = {}
        for name, column in rows.columns.items():
            source = partition_of(columns[name])
            groups = partition.groups.get(source, partition.groups[OPEN])[places]
            shown[name] = group_values(column, np.unique(groups, return_inverse=True)[1].astype(np.int64))
        own = np.unique(open_groups[kept], return_inverse=True)[1].astype(np.int64)
        parts.append(ShownRows(rows, own + first, shown, rows.labels))
        first += int(own.max()) + 1 if len(own) else 0
    return _joined(parts), left_out


def whole_groups(rows: ShownRows, chosen: NDArray[np.bool_]) -> ShownRows:
    """The rows of the groups of which every member is chosen."""
    members = np.bincount(rows.groups)
    wanted = np.bincount(rows.groups, weights=chosen, minlength=len(members))
    return rows.where((wanted == members)[rows.groups])


def sampled_groups(rows: ShownRows, count: int, seed: int) -> ShownRows:
    """Whole groups in an order that ``seed`` decides, until they have ``count`` rows or more."""
    if count >= len(rows):
        return rows
    members = np.bincount(rows.groups)
    order = np.random.default_rng(seed).permutation(len(members))
    enough = int(np.searchsorted(np.cumsum(members[order]), count)) + 1
    chosen = np.zeros(len(members), dtype=np.bool_)
    chosen[order[:enough]] = True
    return rows.where(chosen[rows.groups])


def _joined(parts: list[ShownRows]) -> ShownRows:
    from models.rows.observed import joined

    return ShownRows(
        joined([part.exact for part in parts]),
        np.concatenate([part.groups for part in parts]),
        {name: np.concatenate([part.columns[name] for part in parts]) for name in parts[0].columns},
        np.concatenate([part.labels for part in parts]),
    )
