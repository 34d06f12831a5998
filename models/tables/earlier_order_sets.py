"""Sets of orders in the form in which they were kept before tables and orders had one history.

They hold the first 64 bits of pseudonyms. Of the subjects that are judged now the pseudonyms are known, so their units
are found; the others are units of no new table or order, and need only differ from all of these.
"""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.tables.cells.contents import CellContents, Contribution
from models.tables.cells.unit_numbers import unit_number

SETS = "sets"  # the key of an entry's details that holds their digest
_PARTS = ("in_time", "late")


def contents_of_sets(content: bytes, subjects: NDArray[Any], key: bytes) -> CellContents:
    """The contents of kept sets: one cell a part, with its observed and its defaulted subjects."""
    with np.load(io.BytesIO(content), allow_pickle=False) as data:
        sets = {name: data[name].astype(np.uint64) for name in data.files}
    names = [str(each) for each in np.unique(np.asarray(subjects).astype(np.str_))]
    known = {int(name[:16], 16): unit_number(name, key) for name in names}
    old = np.unique(np.concatenate([sets[f"{name}_observed"] for name in _PARTS]))
    numbers = np.array([known.get(int(each), int(each)) for each in old], dtype=np.uint64)
    order = np.argsort(numbers)
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    cells, members, defaulted = [], [], []
    parts = [name for name in _PARTS if len(sets[f"{name}_observed"])]
    for cell, name in enumerate(parts):
        observed = sets[f"{name}_observed"]
        own = place[np.searchsorted(old, observed)]
        bad = np.isin(observed, sets[f"{name}_defaulted"])
        by_member = np.argsort(own)
        cells.append(np.full(len(own), cell, dtype=np.int64))
        members.append(own[by_member])
        defaulted.append(bad[by_member].astype(np.float64))
    members_of = np.concatenate(members)
    contributions = {
        "subjects": Contribution(np.ones(len(members_of))),
        "subjects_defaulted": Contribution(np.concatenate(defaulted)),
    }
    return CellContents(numbers[order], np.concatenate(cells), members_of, contributions, len(parts))
