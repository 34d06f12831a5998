"""Rows and files of a release: the one format in which raw records leave custody."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq

from credit.catalogue import Table
from privacy.duckdb_engine import Engine, quoted
from privacy.release import column_rules


def rows_sql(table: Table, purpose: str, *, buckets: int) -> str:
    """SQL for the release rows of relation ``raw t``, joined with ``pseudonym(code, key, byte)``.

    ``_bucket`` is added.
    """
    columns, joins = ["s.key AS subject"], []
    for number, each in enumerate(table.fields):
        value = column_rules.value_sql(each, purpose, f"t.{quoted(each.column)}")
        if value is None or each is table.subject:
            continue
        if each.rule(purpose) in ("subject", "pseudonym"):
            joins.append(f"LEFT JOIN pseudonym p{number} ON p{number}.code = {value}")
            value = f"p{number}.key"
        columns.append(f"{value} AS {quoted(each.column)}")
    if times := column_rules.time_columns_sql(table, purpose, "t."):
        columns += [f"{value} AS {name}" for value, name in zip(times, ("_happened", "_known", "_ends"), strict=True)]
    return (
        f"SELECT {', '.join(columns)}, CAST(s.byte AS INTEGER) * {buckets} // 256 AS _bucket FROM raw t "
        f"JOIN pseudonym s ON s.code = t.{quoted(table.subject.column)} {' '.join(joins)}"
    )


def pseudonymised_columns(table: Table, purpose: str) -> list[str]:
    """The columns whose codes are replaced by pseudonyms."""
    return [field.column for field in table.fields if field.rule(purpose) in ("subject", "pseudonym")]


def bucket_file(name: str, bucket: int) -> str:
    """The path of one bucket of a table inside a release."""
    return f"{name}/bucket-{bucket:03d}.parquet"


def write_bucket(run: Engine, query: str, path: Path) -> None:
    """Write a bucket as Parquet. The rows are sorted by all columns, so that the same rows give the same bytes."""
    path.parent.mkdir(exist_ok=True)
    rows = run.arrow(f"{query} ORDER BY ALL")
    pq.write_table(rows, path, compression="zstd", row_group_size=250_000, store_schema=False)
