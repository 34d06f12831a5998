"""A column of n values: numbers (float64, NaN where missing), or texts (objects, None where missing)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Column = NDArray[Any]


def is_text(column: Column) -> bool:
    """True for a column of texts."""
    return column.dtype == np.object_


def missing_in(column: Column) -> NDArray[np.bool_]:
    """Where a column (n,) has no value."""
    if is_text(column):
        return np.array([value is None for value in column], dtype=np.bool_)
    return np.asarray(np.isnan(np.asarray(column, dtype=np.float64)), dtype=np.bool_)
