"""The exact rows behind a release: every active subject of a kind on each day, with the values that the SQL gives.

Bucket by bucket, in this process or on a cluster. They never leave compute: what a release shows of them is made in
:mod:`models.rows.shown`.
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
from models.features.duckdb_engine import Engine, Limits, engine, quote_identifier
from models.features.feature_sql import SUBJECT, FeatureQuery, check
from models.features.observations import observe_days, population_columns
from models.features.outcomes import source_columns
from models.features.views import OBSERVED, make_views, read_bucket, rounded
from models.order.order import Order
from models.rows.attack.known_records import Known, keep_known
from models.rows.partition.columns import Column

_NUMBERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "DOUBLE", "FLOAT", "DECIMAL", "BOOLEAN", "U")
_TEXTS = ("VARCHAR", "DATE")


@dataclass(frozen=True, slots=True, eq=False)
class ExactRows:
    """n rows: subject (pseudonym) and day, the columns by name, and the outcome (1, 0; NaN: none)."""

    subjects: NDArray[Any]
    days: NDArray[np.datetime64]
    columns: dict[str, Column]
    labels: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.subjects)

    def where(self, chosen: NDArray[Any]) -> ExactRows:
        """The rows of a mask, or in the order of an index."""
        columns = {name: column[chosen] for name, column in self.columns.items()}
        return ExactRows(self.subjects[chosen], self.days[chosen], columns, self.labels[chosen])


@dataclass(frozen=True, slots=True)
class Observed:
    """What is observed: the built-in order of the kind, the SQL, the days; of all subjects or of ``subjects`` alone."""

    order: Mapping[str, Any]
    sql: str
    days: tuple[date, ...]
    labelled: bool = False
    subjects: frozenset[str] | None = None
    known: Known | None = None  # the records that there are; None: all


def observe(
    wanted: Observed,
    release: Path,
    terms: Mapping[str, Any],
    *,
    map_buckets: MapBuckets,
    limits: Limits,
    buckets: list[int] | None = None,
) -> ExactRows:
    """The exact rows of a release. Raises :class:`Malformed` for SQL that gives another number of rows."""
    task = partial(observe_bucket, wanted, str(release), dict(terms), limits)
    return joined(map_buckets(task, buckets or list(range(int(terms["buckets"])))))


def joined(parts: list[ExactRows]) -> ExactRows:
    """The rows of all parts, in order."""
    names = list(parts[0].columns)
    return ExactRows(
        np.concatenate([part.subjects for part in parts]),
        np.concatenate([part.days for part in parts]),
        {name: np.concatenate([part.columns[name] for part in parts]) for name in names},
        np.concatenate([part.labels for part in parts]),
    )


def observe_bucket(wanted: Observed, release: str, terms: Mapping[str, Any], limits: Limits, bucket: int) -> ExactRows:
    """The rows of one bucket. A module-level function of plain values, so that a cluster can run it."""
    order = Order.parse(wanted.order)
    schema = {name: table["columns"] for name, table in terms["tables"].items()}
    query = check(wanted.sql, schema, population=order.population)
    read = _columns_read(order, query, terms, wanted)
    with engine(limits) as database:
        read_bucket(database, Path(release), terms, bucket, read)
        database.lock_down()
        if wanted.known is not None:
            keep_known(database, wanted.known, wanted.days[-1], sorted(wanted.subjects or ()))
        observe_days(database, order, wanted.days, terms if wanted.labelled else None, wanted.subjects)
        observed = database.fetch_arrays(
            f"SELECT key, as_of, CAST(label AS DOUBLE) AS label FROM {OBSERVED} ORDER BY number"
        )
        make_views(database, query, terms, order.population)
        columns = _values(database, query, len(observed["key"]))
    return ExactRows(
        np.asarray(observed["key"], dtype=np.object_),
        observed["as_of"].astype("datetime64[D]"),
        columns,
        np.asarray(observed["label"], dtype=np.float64),
    )


def _columns_read(
    order: Order, query: FeatureQuery, terms: Mapping[str, Any], wanted: Observed
) -> dict[str, frozenset[str]]:
    read = dict(query.tables)
    register = str(order.population)
    read[register] = read.get(register, frozenset()) | population_columns(order, terms)
    if wanted.labelled:
        for table, columns in source_columns(order.label, terms).items():
            read[table] = read.get(table, frozenset()) | columns
    if wanted.known is not None:
        for table in wanted.known.tables:
            read.setdefault(table, frozenset())
        if wanted.known.partner is not None:
            table, column = wanted.known.partner
            read[table] = read.get(table, frozenset()) | {column}
    return read


def _values(database: Engine, query: FeatureQuery, count: int) -> dict[str, Column]:
    kinds = {name: kind for name, kind in database.columns(query.sql).items() if name != SUBJECT}
    for name, kind in kinds.items():
        if not kind.startswith((*_NUMBERS, *_TEXTS)):
            raise Malformed("rows.column-kind", name=name, kind=kind)
    named = ", ".join(
        f"CAST(q.{quote_identifier(name)} AS {'VARCHAR' if kind.startswith(_TEXTS) else 'DOUBLE'}) "
        f"AS {quote_identifier(name)}"
        for name, kind in kinds.items()
    )
    fetched = database.fetch_arrays(
        f"SELECT o.number AS {SUBJECT}, {named} FROM {OBSERVED} o LEFT JOIN ({query.sql}) q ON q.{SUBJECT} = o.number "
        f"ORDER BY o.number"
    )
    if len(fetched[SUBJECT]) != count:
        raise Malformed("views.feature-sql-does-not-give", count=count, told_count=len(fetched[SUBJECT]))
    columns: dict[str, Column] = {}
    for name, kind in kinds.items():
        if kind.startswith(_TEXTS):
            columns[name] = np.asarray(fetched[name], dtype=np.object_)
            continue
        values = np.asarray(fetched[name], dtype=np.float64)
        if bool(np.isinf(values).any()):
            raise Malformed("views.feature-infinite", name=name)
        columns[name] = rounded(values)
    return columns
