"""The subjects behind an order (订单的主体集合), as the contents of a table: what its evidence says of each of them.

There is a cell for the rows in time and one for those out of time; the whole of both is judged as well, as of any
table. Each subject gives its rows, its defaulted rows, itself, and itself as one that defaulted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from credit.errors import Refused
from models.privacy.floors import PrivacyFloors
from models.tables.cells.contents import CellContents, Contribution
from models.tables.cells.unit_numbers import numbered_units

if TYPE_CHECKING:
    from models.dataset.sample import Sample


def order_contents(sample: Sample, key: bytes) -> CellContents:
    """The contents of an order; ``key`` makes numbers of its pseudonyms, as it does for tables."""
    units, unit_of_row = numbered_units(np.asarray(sample.subjects, dtype=np.object_), key)
    late, bad = np.asarray(sample.out_of_time, dtype=np.bool_), np.asarray(sample.labels) == 1
    parts = [~late, late] if late.any() else [~late]
    cells, members, rows, defaulted = [], [], [], []
    for cell, part in enumerate(parts):
        counted = np.bincount(unit_of_row[part], minlength=len(units))
        own = np.flatnonzero(counted)
        cells.append(np.full(len(own), cell, dtype=np.int64))
        members.append(own.astype(np.int64))
        rows.append(counted[own].astype(np.float64))
        defaulted.append(np.bincount(unit_of_row[part & bad], minlength=len(units))[own].astype(np.float64))
    each_defaulted = np.concatenate(defaulted)
    contributions = {
        "subjects": Contribution(np.ones(len(each_defaulted))),
        "subjects_defaulted": Contribution((each_defaulted > 0).astype(np.float64)),
        "count": Contribution(np.concatenate(rows)),
        "count_defaulted": Contribution(each_defaulted),
    }
    return CellContents(units, np.concatenate(cells), np.concatenate(members), contributions, len(parts))


def require_floor(contents: CellContents, floors: PrivacyFloors) -> None:
    """Raise :class:`Refused` for an order that observes too few subjects, or too few of either outcome."""
    defaulted = contents.contributions["subjects_defaulted"].values
    for cell in range(contents.count):
        own = contents.cells == cell
        observed, bad = int(own.sum()), int(defaulted[own].sum())
        if observed < floors.order_subjects:
            raise Refused("order-sets.few-subjects", subjects=observed, least=floors.order_subjects)
        if min(bad, observed - bad) < floors.order_defaulted:
            raise Refused("order-sets.few-outcomes", least=floors.order_defaulted)


def units_that_differ(contents: CellContents, other: CellContents) -> int:
    """The number of units of which anything differs between the evidence of two orders."""
    units = np.union1d(contents.units, other.units)
    return int((_by_unit(contents, units) != _by_unit(other, units)).any(axis=1).sum())


def _by_unit(contents: CellContents, units: NDArray[np.uint64]) -> NDArray[np.float64]:
    """What each of these units (U,) gives to the rows and defaulted rows, in time and out of time (U, 4)."""
    given = np.zeros((len(units), 4))
    places = np.searchsorted(units, contents.units[contents.members])
    for column, name in enumerate(("count", "count_defaulted")):
        for cell in range(contents.count):
            own = contents.cells == cell
            given[places[own], 2 * column + cell] = contents.contributions[name].values[own]
    return given
