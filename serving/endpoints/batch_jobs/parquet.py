"""Parquet in a separate process (`serving.processes.subprocess_worker`): a bank's file becomes CSV, a result Parquet.

The footer is checked before anything is decoded, and decoded rows are counted too, since a footer may be false. The
output is validated as any bank's CSV is. pyarrow reads the files and not DuckDB: DuckDB's SQL reaches files and the
network, and the service does not need it.
"""

from __future__ import annotations

import csv
import io
import itertools
import sys
from collections.abc import Iterable, Iterator
from datetime import date
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from serving.processes.worker_loop import InvalidTask, limit_resources, serve_tasks
from serving.responses.job_columns import (
    COLUMN_TYPES,
    INPUT_COLUMNS,
    MAX_BYTES,
    MAX_LINE_LENGTH,
    MAX_LINES,
    OUTPUT_COLUMNS,
)

READ, WRITE = b"r", b"w"  # the first byte of a task says which
MEMORY, SECONDS = 1 << 30, 30  # bytes of address space, seconds of processor time
MAX_ROW_GROUPS, READ_ROWS, WRITE_ROWS = (
    10_000,
    1024,
    8192,
)  # row groups of a file; rows read, and rows written, at a time
_LINES = str.maketrans(dict.fromkeys("\n\r\x00", "\ufffd"))


def read(body: bytes) -> bytes:
    """A Parquet file as CSV with the header `uscc,purpose,mandate`.

    Raises InvalidTask with a key of `job_files._PARQUET`.
    """
    try:
        parquet = pq.ParquetFile(
            pa.BufferReader(body), thrift_string_size_limit=1 << 20, thrift_container_size_limit=1 << 20,
            arrow_extensions_enabled=False,
        )  # fmt: skip
    except (pa.ArrowException, OSError, ValueError) as invalid:
        raise InvalidTask("unreadable") from invalid
    _require_columns(parquet)
    _require_bounds(parquet.metadata)
    out = io.StringIO()
    rows = csv.writer(out, lineterminator="\n")
    rows.writerow(INPUT_COLUMNS)
    try:
        rows.writerows(_rows(parquet))
    except UnicodeDecodeError as invalid:
        raise InvalidTask("text") from invalid
    except (pa.ArrowException, OSError, ValueError) as invalid:
        raise InvalidTask("unreadable") from invalid
    return out.getvalue().encode("utf-8", "replace")


def write(result: bytes) -> bytes:
    """A result's CSV as Parquet: numbers as numbers, days as dates, empty values as null."""
    columns = [pa.field(name, getattr(pa, COLUMN_TYPES.get(name, "string"))()) for name in OUTPUT_COLUMNS]
    lines = csv.reader(line.decode() for line in io.BytesIO(result))
    next(lines)
    out = pa.BufferOutputStream()
    with pq.ParquetWriter(out, schema := pa.schema(columns), compression="zstd") as writer:
        while rows := list(itertools.islice(lines, WRITE_ROWS)):
            arrays = [
                pa.array([_typed(value, field.type) for value in values], field.type)
                for values, field in zip(zip(*rows, strict=True), schema, strict=True)
            ]
            writer.write_batch(pa.record_batch(arrays, schema=schema))
    return bytes(out.getvalue())


def _require_columns(parquet: Any) -> None:
    """Check for exactly three flat text columns, by the file's own schema and by the schema that pyarrow
    derives from it.
    """
    if sorted(parquet.schema_arrow.names) != sorted(INPUT_COLUMNS) or len(parquet.schema) != len(INPUT_COLUMNS):
        raise InvalidTask("columns")
    columns = [parquet.schema.column(place) for place in range(len(INPUT_COLUMNS))]
    flat = all(column.path == column.name and not column.max_repetition_level for column in columns)
    text = all(column.physical_type == "BYTE_ARRAY" and column.logical_type.type == "STRING" for column in columns)
    if not (flat and text and all(_is_text(field.type) for field in parquet.schema_arrow)):
        raise InvalidTask("types")


def _is_text(kind: Any) -> bool:
    kind = kind.value_type if pa.types.is_dictionary(kind) else kind
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def _require_bounds(metadata: Any) -> None:
    if metadata.num_row_groups > MAX_ROW_GROUPS:
        raise InvalidTask("groups")
    groups = [metadata.row_group(place) for place in range(metadata.num_row_groups)]
    if not 1 <= metadata.num_rows <= MAX_LINES or sum(group.num_rows for group in groups) != metadata.num_rows:
        raise InvalidTask("rows")
    if any(group.column(place).num_values != group.num_rows for group in groups for place in range(len(INPUT_COLUMNS))):
        raise InvalidTask("rows")
    if sum(max(0, group.total_byte_size) for group in groups) > MAX_BYTES:
        raise InvalidTask("large")


def _rows(parquet: Any) -> Iterator[Iterable[str]]:
    """The rows as they are decoded. Raises InvalidTask when they are more, larger or fewer than the footer states."""
    count = size = 0
    for batch in parquet.iter_batches(READ_ROWS, columns=list(INPUT_COLUMNS), use_threads=False):
        count, size = count + batch.num_rows, size + batch.nbytes
        if count > MAX_LINES:
            raise InvalidTask("rows")
        if size > MAX_BYTES:
            raise InvalidTask("large")
        yield from zip(*(map(_line, batch.column(name).to_pylist()) for name in INPUT_COLUMNS), strict=True)
    if count != parquet.metadata.num_rows:
        raise InvalidTask("rows")


def _line(value: str | None) -> str:
    """A value as it may stand in one line. A value over the limit stays over the limit, so that its line is refused."""
    return (value or "")[: MAX_LINE_LENGTH + 1].translate(_LINES)


def _typed(value: str, kind: Any) -> Any:
    if not value:
        return None
    if pa.types.is_date(kind):
        return date.fromisoformat(value)
    return value if pa.types.is_string(kind) else (int if pa.types.is_integer(kind) else float)(value)


def _work(task: bytes) -> bytes:
    return read(task[1:]) if task[:1] == READ else write(task[1:])


if __name__ == "__main__":
    limit_resources(MEMORY, SECONDS)
    sys.exit(serve_tasks(_work))
