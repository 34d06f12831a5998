"""The file of a TABLE seal: one Parquet table of the published cells, their labels and rounded statistics."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from models.tables.cells.of_rows import Cells

FILE = "table.parquet"


def write(folder: Path, cells: Cells, kept: NDArray[Any], statistics: Mapping[str, list[float | None]]) -> int:
    """Write the published cells in the order of their labels; the number of rows. Suppressed cells are not named.

    ``kept`` (C,) says which are published, and each of the ``statistics`` has a value for each of these.
    """
    places = [int(cell) for cell in np.flatnonzero(kept)]
    columns: dict[str, pa.Array] = {
        name: pa.array([cells.labels[cell][number] for cell in places], pa.string())
        for number, name in enumerate(cells.plan.groups)
    }
    counts = {each.name for each in cells.plan.measures if each.is_count}
    for name, values in statistics.items():
        whole = [None if value is None else int(value) for value in values] if name in counts else values
        columns[name] = pa.array(whole, pa.int64() if name in counts else pa.float64())
    pq.write_table(pa.table(columns), folder / FILE, compression="zstd", write_statistics=False)
    return len(places)


def read_columns(folder: Path) -> dict[str, list[Any]]:
    """The columns of a written table by name."""
    columns: dict[str, list[Any]] = pq.read_table(folder / FILE).to_pydict()
    return columns
