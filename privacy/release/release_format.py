"""Rows and files of a release: the one form in which raw records leave, whoever writes them."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq

from credit.catalogue import Table
from privacy.duckdb_engine import Engine, quoted
from privacy.release import column_rules


def rows(table: Table, purpose: str, *, buckets: int) -> str:
    """SQL: the release's rows of relation ``raw t`` with ``pseudonym(code, key, byte)``, and ``_bucket`` of each."""
    columns, joins = ["s.key AS subject"], []
    for number, each in enumerate(table.fields):
        value = column_rules.expression(each, purpose, f"t.{quoted(each.column)}")
        if value is None or each is table.subject:
            continue
        if each.rule(purpose) in ("subject", "pseudonym"):
            joins.append(f"LEFT JOIN pseudonym p{number} ON p{number}.code = {value}")
            value = f"p{number}.key"
        columns.append(f"{value} AS {quoted(each.column)}")
    if times := column_rules.times(table, purpose, "t."):
        columns += [f"{value} AS {name}" for value, name in zip(times, ("_happened", "_known", "_ends"), strict=True)]
    return (
        f"SELECT {', '.join(columns)}, CAST(s.byte AS INTEGER) * {buckets} // 256 AS _bucket FROM raw t "
        f"JOIN pseudonym s ON s.code = t.{quoted(table.subject.column)} {' '.join(joins)}"
    )


def coded(table: Table, purpose: str) -> list[str]:
    """The columns whose codes become pseudonyms."""
    return [field.column for field in table.fields if field.rule(purpose) in ("subject", "pseudonym")]


def file_of(name: str, bucket: int) -> str:
    """Where a release keeps one bucket of a table."""
    return f"{name}/bucket-{bucket:03d}.parquet"


def write(run: Engine, query: str, path: Path) -> None:
    """Write a bucket. One writer and a total order of rows, so that the same rows are the same bytes."""
    path.parent.mkdir(exist_ok=True)
    found = run.arrow(f"{query} ORDER BY ALL")
    pq.write_table(found, path, compression="zstd", row_group_size=250_000, store_schema=False)
