"""As-of views (时点视图): for a given day, a table shows what had happened, was known, and could lawfully be used by
then.

One query computes any number of observations at once: in a view, ``subject`` is the number of an observation and not
the
key of a subject, so grouping by ``subject`` groups by subject and day. A date in a row that lies after the day (such as
the day a listing was lifted) was not known then and is null, so a feature cannot use the future.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from credit.errors import Malformed
from models.features.duckdb_engine import Engine, quote_identifier
from models.features.feature_sql import OBSERVATION, SUBJECT, FeatureQuery

TIME_COLUMNS = {"_happened": "DATE", "_known": "DATE", "_ends": "DATE"}
OBSERVED = "_observed"  # (number BIGINT, key VARCHAR, as_of DATE): created by models.features.observations
SIGNIFICANT_DIGITS = 10  # of a feature's values: the last bits of a sum depend on the order of its terms
_NUMBER_TYPES = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "DOUBLE", "FLOAT", "DECIMAL", "BOOLEAN", "U")


def bucket_file(release: Path, table: str, bucket: int) -> Path:
    """The Parquet file of one bucket of a table in a release."""
    return release / table / f"bucket-{bucket:03d}.parquet"


def raw_table(table: str) -> str:
    """The name of the table with a bucket's own rows, which feature SQL cannot name."""
    return f"_raw_{table}"


def read_bucket(
    database: Engine, release: Path, terms: Mapping[str, Any], bucket: int, wanted: Mapping[str, frozenset[str]]
) -> None:
    """Read one bucket's rows of each table: subject, times, and the wanted columns."""
    for table, columns in wanted.items():
        types = {name: kind for name, kind in terms["tables"][table]["columns"].items() if name.lower() in columns}
        times = TIME_COLUMNS if terms["tables"][table]["dated"] else {}
        types = (
            {SUBJECT: "VARCHAR"}
            | {name: types[name] for name in sorted(types) if name not in TIME_COLUMNS}
            | dict(times)
        )
        database.read_parquet(raw_table(table), bucket_file(release, table, bucket), types)


def visible_at(row: str, day: str) -> str:
    """SQL: the dated row was visible on the day."""
    ends = f"({row}._ends IS NULL OR {row}._ends > {day})"
    return f"{row}._happened < {day} AND {row}._known <= {day} AND {ends}"


def make_views(database: Engine, query: FeatureQuery, terms: Mapping[str, Any], population: str | None) -> None:
    """Create ``observation`` and a view for each table of the query, over :data:`OBSERVED`."""
    database.execute(f"CREATE VIEW {OBSERVATION} AS SELECT number AS subject, as_of FROM {OBSERVED}")
    for table, used in query.tables.items():
        types = terms["tables"][table]["columns"]
        columns = ["o.number AS subject", "o.as_of"]
        for name in sorted(used):
            value = f"t.{quote_identifier(name)}"
            shown = f"CASE WHEN {value} <= o.as_of THEN {value} END" if types.get(name) == "DATE" else value
            columns.append(f"{shown} AS {quote_identifier(name)}")
        # The register is read without regard to time: its rows are subjects, not events.
        when = "" if table == population else f"WHERE {visible_at('t', 'o.as_of')}"
        database.execute(
            f"CREATE VIEW {quote_identifier(table)} AS SELECT {', '.join(columns)} "
            f"FROM {quote_identifier(raw_table(table))} t JOIN {OBSERVED} o ON t.subject = o.key {when}"
        )


def compute_features(database: Engine, query: FeatureQuery, names: tuple[str, ...], count: int) -> NDArray[np.float64]:
    """Features (count, F) float64 of the observations 0 … count-1, in the order of ``names``; NaN where missing.

    Raises :class:`Malformed` unless each observation has one row and each value is a finite number or missing.
    Values are
    rounded to :data:`SIGNIFICANT_DIGITS`.
    """
    for name, kind in database.columns(query.sql).items():
        if name != SUBJECT and not kind.startswith(_NUMBER_TYPES):
            raise Malformed("views.feature", name=name, kind=kind)
    columns = database.fetch_arrays(f"SELECT * FROM ({query.sql}) ORDER BY subject")
    if not np.array_equal(np.asarray(columns[SUBJECT], dtype=np.float64), np.arange(count)):
        raise Malformed("views.feature-sql-does-not-give", count=count, told_count=len(columns[SUBJECT]))
    features = np.empty((count, len(names)))
    for index, name in enumerate(names):
        features[:, index] = columns[name]
        if bool(np.isinf(features[:, index]).any()):
            raise Malformed("views.feature-infinite", name=name)
    return rounded(features)


def rounded(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The values with :data:`SIGNIFICANT_DIGITS`; missing values stay missing."""
    exponent = np.floor(np.log10(np.abs(values), where=(values != 0) & ~np.isnan(values), out=np.zeros_like(values)))
    power = 10.0 ** np.clip(SIGNIFICANT_DIGITS - 1 - exponent, -300, 300)
    too_large = np.abs(values) >= 1e15  # nothing to round, and the product might overflow
    return np.asarray(np.where(too_large, values, np.round(values * power) / power) + 0.0)
