"""The file of a TABLE seal: one Parquet table of the published cells, their labels and rounded statistics."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from models.tables.cells.of_rows import Cells, values_of
from models.tables.cells.rounding import KeyedRounding

FILE = "table.parquet"


def write(folder: Path, cells: Cells, kept: np.ndarray[tuple[int], np.dtype[np.bool_]], rounding: KeyedRounding) -> int:
    """Write the published cells in the order of their labels; the number of rows. Suppressed cells are not named."""
    places = [int(cell) for cell in np.flatnonzero(kept)]
    columns: dict[str, pa.Array] = {
        name: pa.array([cells.labels[cell][number] for cell in places], pa.string())
        for number, name in enumerate(cells.plan.groups)
    }
    counts = {each.name for each in cells.plan.measures if each.is_count}
    for name, values in values_of(cells, kept, rounding).items():
        whole = [None if value is None else int(value) for value in values] if name in counts else values
        columns[name] = pa.array(whole, pa.int64() if name in counts else pa.float64())
    pq.write_table(pa.table(columns), folder / FILE, compression="zstd", write_statistics=False)
    return len(places)


def read_columns(folder: Path) -> dict[str, list[Any]]:
    """The columns of a written table by name."""
    columns: dict[str, list[Any]] = pq.read_table(folder / FILE).to_pydict()
    return columns
