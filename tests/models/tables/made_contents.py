"""Contents of cells made by hand."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from models.tables.cells.contents import CellContents, Contribution


def contents_of(cells: Mapping[int, int], values: Mapping[int, float] | None = None) -> CellContents:
    """The contents of a table that counts units (unit -> cell), and with ``values`` sums them."""
    present = sorted(set(cells.values()))
    pairs = sorted((present.index(cell), unit) for unit, cell in cells.items())
    units = np.array(sorted(cells), dtype=np.uint64)
    numbers = np.array([cell for cell, _ in pairs], dtype=np.int64)
    members = np.searchsorted(units, np.array([unit for _, unit in pairs], dtype=np.uint64)).astype(np.int64)
    contributions = {"count": Contribution(np.ones(len(pairs)))}
    if values is not None:
        contributions["sum_value"] = Contribution(np.array([values[unit] for _, unit in pairs], dtype=np.float64))
    return CellContents(units, numbers, members, contributions, len(present))
