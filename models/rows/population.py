"""The population of a release: a condition over what open columns show, the same for every member of a group."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from credit.errors import Refused
from models.features.duckdb_engine import engine
from models.features.feature_sql import check_condition
from models.lineage.exposure import ExposedColumn
from models.rows.partition.stored import OPEN
from models.rows.shown import ShownRows, partition_of


def check_population(condition: str, columns: Mapping[str, ExposedColumn]) -> tuple[str, list[str]]:
    """The condition as it was parsed, and the columns that it reads; nothing needs to be computed for it.

    Raises :class:`Malformed` for a wrong one. A condition over the columns of one market is :class:`Refused`: within a
    group it is true for some and not for others, so that two releases would differ by less than a group.
    """
    checked = check_condition(condition, dict.fromkeys(columns, ""), table="rows")
    lower = {name.lower(): name for name in columns}
    for name in sorted(checked.columns):
        if partition_of(columns[lower[name]]) != OPEN:
            raise Refused("rows.population-of-market", name=name)
    return checked.sql, [lower[name] for name in sorted(checked.columns)]


def chosen_by(condition: str, shown: ShownRows, columns: Mapping[str, ExposedColumn]) -> NDArray[np.bool_]:
    """Which of the rows (n,) the condition is true for; raises what :func:`check_population` raises."""
    sql, named = check_population(condition, columns)
    values = {name: pa.array(shown.columns[name], from_pandas=True) for name in named}
    with engine() as database:
        database.register("rows", pa.table({**values, "_number": pa.array(np.arange(len(shown)))}))
        database.lock_down()
        numbers = database.fetch_arrays(f"SELECT _number FROM rows WHERE ({sql}) ORDER BY _number")
    chosen = np.zeros(len(shown), dtype=np.bool_)
    chosen[np.asarray(numbers["_number"], dtype=np.int64)] = True
    return chosen
