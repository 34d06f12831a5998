"""Parquet in a process of its own (`aside`): a bank's file into the CSV it could have sent, a result out of one.

What a footer says is looked at before anything is decoded, and what is decoded is counted: a footer may lie. What comes
out is read as any bank's CSV is; nothing is believed because it came from here. The format's own library reads it and
not DuckDB, whose SQL reaches files and the network, and which the service does without.
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

READ, WRITE = b"r", b"w"  # the first byte of a task
MEMORY, SECONDS = 1 << 30, 30  # bytes of address space, seconds of a processor
GROUPS, STEP, WRITTEN = 10_000, 1024, 8192  # row groups of a file; rows read, and rows written, at a time
_LINES = str.maketrans(dict.fromkeys("\n\r\x00", "\ufffd"))


def read(body: bytes) -> bytes:
    """A Parquet file as CSV headed `uscc,purpose,mandate`, row by row. Raises Unfit, naming one of files.REASONS."""
    try:
        file = pq.ParquetFile(
            pa.BufferReader(body), thrift_string_size_limit=1 << 20, thrift_container_size_limit=1 << 20,
            arrow_extensions_enabled=False,
        )  # fmt: skip
    except (pa.ArrowException, OSError, ValueError) as bad:
        raise InvalidTask("unreadable") from bad
    _require_columns(file)
    _require_bounds(file.metadata)
    out = io.StringIO()
    rows = csv.writer(out, lineterminator="\n")
    rows.writerow(INPUT_COLUMNS)
    try:
        rows.writerows(_rows(file))
    except UnicodeDecodeError as bad:
        raise InvalidTask("text") from bad
    except (pa.ArrowException, OSError, ValueError) as bad:
        raise InvalidTask("unreadable") from bad
    return out.getvalue().encode("utf-8", "replace")


def write(told: bytes) -> bytes:
    """A result's CSV as Parquet: numbers, days, what is empty as null."""
    columns = [pa.field(name, getattr(pa, COLUMN_TYPES.get(name, "string"))()) for name in OUTPUT_COLUMNS]
    lines = csv.reader(line.decode() for line in io.BytesIO(told))
    next(lines)
    out = pa.BufferOutputStream()
    with pq.ParquetWriter(out, schema := pa.schema(columns), compression="zstd") as writer:
        while rows := list(itertools.islice(lines, WRITTEN)):
            arrays = [
                pa.array([_typed(value, field.type) for value in values], field.type)
                for values, field in zip(zip(*rows, strict=True), schema, strict=True)
            ]
            writer.write_batch(pa.record_batch(arrays, schema=schema))
    return bytes(out.getvalue())


def _require_columns(file: Any) -> None:
    """The three columns, flat and of text, by what the file says and by what the reader would make of it."""
    if sorted(file.schema_arrow.names) != sorted(INPUT_COLUMNS) or len(file.schema) != len(INPUT_COLUMNS):
        raise InvalidTask("columns")
    stored = [file.schema.column(place) for place in range(len(INPUT_COLUMNS))]
    flat = all(one.path == one.name and not one.max_repetition_level for one in stored)
    text = all(one.physical_type == "BYTE_ARRAY" and one.logical_type.type == "STRING" for one in stored)
    if not (flat and text and all(_is_text(field.type) for field in file.schema_arrow)):
        raise InvalidTask("types")


def _is_text(kind: Any) -> bool:
    kind = kind.value_type if pa.types.is_dictionary(kind) else kind
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def _require_bounds(told: Any) -> None:
    if told.num_row_groups > GROUPS:
        raise InvalidTask("groups")
    groups = [told.row_group(place) for place in range(told.num_row_groups)]
    if not 1 <= told.num_rows <= MAX_LINES or sum(group.num_rows for group in groups) != told.num_rows:
        raise InvalidTask("rows")
    if any(group.column(place).num_values != group.num_rows for group in groups for place in range(len(INPUT_COLUMNS))):
        raise InvalidTask("rows")
    if sum(max(0, group.total_byte_size) for group in groups) > MAX_BYTES:
        raise InvalidTask("large")


def _rows(file: Any) -> Iterator[Iterable[str]]:
    """The rows as they are decoded. Raises Unfit when they are more, larger or fewer than was said."""
    count = size = 0
    for batch in file.iter_batches(STEP, columns=list(INPUT_COLUMNS), use_threads=False):
        count, size = count + batch.num_rows, size + batch.nbytes
        if count > MAX_LINES:
            raise InvalidTask("rows")
        if size > MAX_BYTES:
            raise InvalidTask("large")
        yield from zip(*(map(_line, batch.column(name).to_pylist()) for name in INPUT_COLUMNS), strict=True)
    if count != file.metadata.num_rows:
        raise InvalidTask("rows")


def _line(value: str | None) -> str:
    """A value as it may stand in one line; one that is too long stays too long, so that its line is refused for it."""
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
