"""Rows and files of a release: the one format in which raw records leave custody."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from credit.catalogue import Table
from credit.fields import Field
from privacy.duckdb_engine import Engine, quoted, text
from privacy.release import column_rules
from privacy.release.pseudonyms import Codes
from privacy.storage.change import pieces


def rows_sql(table: Table, purpose: str, *, buckets: int, why: str = "") -> str:
    """SQL for the release rows of relation ``raw t``, joined with ``pseudonym(code, party, key, byte)``.

    Another party that is in ``suppressed_codes(code)`` is NULL. ``_bucket`` is added. With ``why``, an expression for
    the reason for which a row is left out, no row is: those have it as ``_why``, and where the subject is in
    ``suppressed(subject)`` or has no key ``_bucket`` is NULL.
    """
    columns, joins = ["s.key AS subject"], []
    for number, each in enumerate(table.fields):
        value = column_rules.value_sql(each, purpose, f"t.{quoted(each.column)}")
        if value is None or each is table.subject:
            continue
        if each.rule(purpose) in ("subject", "pseudonym"):
            party = text(party_of(table, each, purpose))
            joins.append(f"LEFT JOIN pseudonym p{number} ON p{number}.code = {value} AND p{number}.party = {party}")
            value = f"CASE WHEN {value} NOT IN (FROM suppressed_codes) THEN p{number}.key END"
        columns.append(f"{value} AS {quoted(each.column)}")
    if times := column_rules.time_columns_sql(table, purpose, "t."):
        columns += [f"{value} AS {name}" for value, name in zip(times, ("_happened", "_known", "_ends"), strict=True)]
    bucket, kind = f"CAST(s.byte AS INTEGER) * {buckets} // 256", "JOIN"
    if why:
        columns.append(f"CAST({why} AS VARCHAR) AS _why")
        bucket, kind = f"CASE WHEN s.key NOT IN (SELECT subject FROM suppressed) THEN {bucket} END", "LEFT JOIN"
    return (
        f"SELECT {', '.join(columns)}, {bucket} AS _bucket FROM raw t "
        f"{kind} pseudonym s ON s.code = t.{quoted(table.subject.column)} AND s.party = '' {' '.join(joins)}"
    )


def pseudonymised_codes(table: Table, purpose: str, relation: str) -> list[Codes]:
    """The columns of a relation whose codes are replaced by pseudonyms."""
    fields = [field for field in table.fields if field.rule(purpose) in ("subject", "pseudonym")]
    return [Codes(relation, field.column, party_of(table, field, purpose)) for field in fields]


def party_of(table: Table, field: Field, purpose: str) -> str:
    """What a column's codes are keyed by besides the purpose: nothing for subjects, else the column itself."""
    return "" if field.rule(purpose) == "subject" else f"{table.name}.{field.column}"


def bucket_file(name: str, bucket: int) -> str:
    """The path of one bucket of a table inside a release."""
    return f"{name}/bucket-{bucket:03d}.parquet"


def write_bucket(run: Engine, query: str, path: Path) -> None:
    """Write a bucket as Parquet. The rows are sorted by all columns, so that the same rows give the same bytes."""
    _write(run.arrow(f"{query} ORDER BY ALL"), path)


def write_buckets(run: Engine, relation: str, folder: Path, buckets: int) -> None:
    """Write every bucket of a relation, by its column ``_bucket``, from one sorted pass that has one in memory."""
    names = list(run.columns(f"SELECT * EXCLUDE (_bucket) FROM {relation}"))
    order = ", ".join(["_bucket", *map(quoted, names)])
    reader = run.batches(f"SELECT _bucket, * EXCLUDE (_bucket) FROM {relation} ORDER BY {order}")
    schema = reader.schema.remove(0)
    waiting, current = list[pa.RecordBatch](), 0

    def written_up_to(bucket: int) -> int:
        for number in range(current, bucket):
            rows = pa.Table.from_batches(waiting, schema)
            waiting.clear()
            _write(rows, folder / f"bucket-{number:03d}.parquet")
        return bucket

    for batch in reader:
        for bucket, rows in pieces(batch, "_bucket"):
            current = written_up_to(bucket)
            waiting.append(rows)
    written_up_to(buckets)


def _write(rows: pa.Table, path: Path) -> None:
    path.parent.mkdir(exist_ok=True)
    pq.write_table(rows.combine_chunks(), path, compression="zstd", row_group_size=250_000, store_schema=False)
