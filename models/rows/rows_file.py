"""The file of a ROWS seal: one Parquet table of shuffled rows, each with a key that was drawn for it alone."""

from __future__ import annotations

import secrets
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from models.rows.partition.columns import is_text
from models.rows.shown import ShownRows

FILE = "rows.parquet"
KEY, DAY, LABEL = "key", "as_of", "label"
_KEY_BYTES = 8


def write(folder: Path, shown: ShownRows, *, labelled: bool) -> None:
    """Write the rows in a random order, with new random keys; neither can be computed again from a seed."""
    order = np.array(secrets.SystemRandom().sample(range(len(shown)), len(shown)), dtype=np.int64)
    rows = shown.where(order)
    columns = {KEY: pa.array(_keys(len(rows))), DAY: pa.array(rows.exact.days)}
    for name, column in rows.columns.items():
        values = [None if value is None else str(value) for value in column] if is_text(column) else column
        columns[name] = pa.array(values, pa.string()) if is_text(column) else pa.array(values, from_pandas=True)
    if labelled:
        columns[LABEL] = pa.array(rows.labels, from_pandas=True).cast(pa.int8())
    pq.write_table(pa.table(columns), folder / FILE, compression="zstd", write_statistics=False)


def _keys(count: int) -> list[str]:
    keys: set[str] = set()
    while len(keys) < count:
        keys.add(secrets.token_hex(_KEY_BYTES))
    return list(keys)
