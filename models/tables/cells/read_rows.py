"""The rows behind a table: of every subject that is active on the day, what the SQL groups by and what it measures.

Bucket by bucket, in this process or on a cluster, in DuckDB over as-of views. They never leave compute.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from credit.errors import Malformed
from models.features.buckets import MapBuckets
from models.features.duckdb_engine import Limits, engine, quote_identifier
from models.features.feature_sql import SUBJECT, check
from models.features.observations import observe_days, population_columns
from models.features.views import OBSERVED, make_views, read_bucket
from models.order.order import Order
from models.tables.cells.contents import Floats
from models.tables.table_sql import GROUP, VALUE

_NUMBERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "DOUBLE", "FLOAT", "DECIMAL", "BOOLEAN", "U")
_TEXTS = ("VARCHAR", "DATE")


@dataclass(frozen=True, slots=True, eq=False)
class TableRows:
    """n rows: the subject (pseudonym) of each, its groups as texts (None: missing), and its values (NaN: missing)."""

    subjects: NDArray[Any]
    groups: dict[str, NDArray[Any]]
    values: dict[str, Floats]

    def __len__(self) -> int:
        return len(self.subjects)


@dataclass(frozen=True, slots=True)
class WantedRows:
    """What is read: the built-in order of the kind of subjects, the SQL of the rows, and the day."""

    order: Mapping[str, Any]
    sql: str
    day: date


def read_rows(
    wanted: WantedRows, release: Path, terms: Mapping[str, Any], *, map_buckets: MapBuckets, limits: Limits
) -> TableRows:
    """The rows of a whole release. Raises :class:`Malformed` for a column of a kind that no table has."""
    task = partial(read_rows_of_bucket, wanted, str(release), dict(terms), limits)
    parts: list[TableRows] = map_buckets(task, list(range(int(terms["buckets"]))))
    return TableRows(
        np.concatenate([part.subjects for part in parts]),
        {name: np.concatenate([part.groups[name] for part in parts]) for name in parts[0].groups},
        {name: np.concatenate([part.values[name] for part in parts]) for name in parts[0].values},
    )


def read_rows_of_bucket(
    wanted: WantedRows, release: str, terms: Mapping[str, Any], limits: Limits, bucket: int
) -> TableRows:
    """The rows of one bucket. A module-level function of plain values, so that a cluster can run it."""
    order = Order.parse(wanted.order)
    register = str(order.population)
    query = check(wanted.sql, {name: each["columns"] for name, each in terms["tables"].items()}, population=register)
    read = dict(query.tables)
    read[register] = read.get(register, frozenset()) | population_columns(order, terms)
    with engine(limits) as database:
        read_bucket(database, Path(release), terms, bucket, read)
        database.lock_down()
        observe_days(database, order, (wanted.day,), None)
        make_views(database, query, terms, order.population)
        kinds = {name: kind for name, kind in database.columns(query.sql).items() if name != SUBJECT}
        named = "".join(f", {_as_plain(name, kind)} AS {quote_identifier(name)}" for name, kind in kinds.items())
        fetched = database.fetch_arrays(
            f"SELECT o.key AS {SUBJECT}{named} FROM ({query.sql}) q JOIN {OBSERVED} o ON o.number = q.{SUBJECT} "
            f"ORDER BY o.number"
        )
    groups = {name: np.asarray(fetched[name], dtype=np.object_) for name in kinds if name.startswith(GROUP)}
    values = {name: np.asarray(fetched[name], dtype=np.float64) for name in kinds if name.startswith(VALUE)}
    if any(bool(np.isinf(each).any()) for each in values.values()):
        raise Malformed("tables.infinite")
    return TableRows(np.asarray(fetched[SUBJECT], dtype=np.object_), groups, values)


def _as_plain(name: str, kind: str) -> str:
    if not kind.startswith(_NUMBERS if name.startswith(VALUE) else (*_NUMBERS, *_TEXTS)):
        raise Malformed("tables.column-kind", kind=kind)
    return f"CAST(q.{quote_identifier(name)} AS {'DOUBLE' if name.startswith(VALUE) else 'VARCHAR'})"
