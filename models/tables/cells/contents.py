"""What is behind the cells of a table: which units stand in each, and what each unit contributes to each statistic.

A unit (个体) is a subject, known here by a number that a key of compute alone makes of its pseudonym. Contributions add
up: a cell's sum is the sum of its units' contributions, and the contents of a union of cells are the contents of its
parts added together. That is what judging by units and not by labels rests on.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Numbers = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Contribution:
    """What each of E entries gives to a statistic: ``values`` (E,), and ``weights`` (E,), the numbers of values that a
    mean, variance, median or quantile was made of; None for a count or a sum, whose zeros cannot be seen."""

    values: Floats
    weights: Floats | None = None

    @property
    def present(self) -> NDArray[np.bool_]:
        """Whether an entry (E,) takes part at all."""
        return np.asarray((self.values if self.weights is None else self.weights) != 0)


@dataclass(frozen=True, slots=True, eq=False)
class CellContents:
    """The contents of ``count`` cells: U units, and E entries, one a cell and unit in it, ordered by cell and unit."""

    units: NDArray[np.uint64]  # (U,) ascending
    cells: Numbers  # (E,) cell of an entry, from 0
    members: Numbers  # (E,) place of its unit in ``units``
    contributions: Mapping[str, Contribution]
    count: int

    @property
    def sizes(self) -> Numbers:
        """The number of units in each cell (count,)."""
        return np.bincount(self.cells, minlength=self.count).astype(np.int64)

    def where(self, kept: NDArray[np.bool_]) -> CellContents:
        """The cells of a mask (count,), numbered again."""
        chosen = kept[self.cells]
        numbers = np.cumsum(kept) - 1
        members, places = np.unique(self.members[chosen], return_inverse=True)
        contributions = {
            name: Contribution(each.values[chosen], None if each.weights is None else each.weights[chosen])
            for name, each in self.contributions.items()
        }
        cells = numbers[self.cells[chosen]].astype(np.int64)
        return CellContents(self.units[members], cells, places.astype(np.int64), contributions, int(kept.sum()))

    def merged(self, cells: Numbers) -> CellContents:
        """Each cell counted as the cell ``cells`` (count,) names, from 0: a coarser grouping; what is added adds up."""
        keys = cells[self.cells] * max(1, len(self.units)) + self.members
        entries, places = np.unique(keys, return_inverse=True)

        def added(values: Floats) -> Floats:
            return np.bincount(places, weights=values, minlength=len(entries)).astype(np.float64)

        contributions = {
            name: Contribution(added(each.values), None if each.weights is None else added(each.weights))
            for name, each in self.contributions.items()
        }
        count = int(cells.max()) + 1 if len(cells) else 0
        own, members = np.divmod(entries, max(1, len(self.units)))
        return CellContents(self.units, own.astype(np.int64), members.astype(np.int64), contributions, count)

    def whole(self) -> CellContents:
        """All cells together as one."""
        return self.merged(np.zeros(self.count, dtype=np.int64))

    def as_bytes(self) -> bytes:
        """The contents as one compressed file; :meth:`read` gives them back."""
        buffer = io.BytesIO()
        names = list(self.contributions)
        about = np.frombuffer(json.dumps({"names": names, "count": self.count}).encode(), dtype=np.uint8)
        arrays: dict[str, Any] = {"about": about, "units": self.units}
        arrays |= {"cells": self.cells.astype(np.int32), "members": self.members.astype(np.int32)}
        for place, name in enumerate(names):
            arrays[f"values-{place}"] = self.contributions[name].values
            if (weights := self.contributions[name].weights) is not None:
                arrays[f"weights-{place}"] = weights
        np.savez_compressed(buffer, **arrays)
        return buffer.getvalue()

    @classmethod
    def read(cls, content: bytes) -> CellContents:
        """Contents from :meth:`as_bytes`."""
        with np.load(io.BytesIO(content), allow_pickle=False) as data:
            about = json.loads(data["about"].tobytes())
            contributions = {
                name: Contribution(
                    data[f"values-{place}"], data[f"weights-{place}"] if f"weights-{place}" in data.files else None
                )
                for place, name in enumerate(about["names"])
            }
            cells, members = data["cells"].astype(np.int64), data["members"].astype(np.int64)
            return cls(data["units"], cells, members, contributions, int(about["count"]))
