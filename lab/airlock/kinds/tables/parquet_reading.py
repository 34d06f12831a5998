"""Reading Parquet (Parquet 表格): flat columns of numbers, labels, truth values, dates; foreign notes are refused."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, time
from decimal import Decimal
from typing import Any

from credit.messages import Text
from lab.airlock.issue import Issue, display_name, fail
from lab.airlock.kinds.file_format import ReadFile
from lab.airlock.kinds.tables.spelling import Unwritable, checked_number
from lab.airlock.kinds.tables.table_model import TableModel, table_of
from lab.airlock.thresholds import Thresholds

KNOWN_METADATA = {b"ARROW:schema", b"pandas"}  # what pandas and PyArrow write; it stays behind, and is said so
_PLAIN = Text.of("airlock.parquet-plain-fix")
_SMALLER = Text.of("airlock.table-fix")


def read_parquet(content: bytes, t: Thresholds) -> ReadFile[TableModel] | Issue:
    """The table in a Parquet file. Its size is limited before it is decompressed."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(pa.BufferReader(content))
        size = sum(file.metadata.row_group(n).total_byte_size for n in range(file.metadata.num_row_groups))
        rows = file.metadata.num_rows
        if rows > t["rows_at_most"] or size > t["file_bytes_at_most"]:
            return fail(Text.of("airlock.parquet-rows", rows=rows, size=size), _SMALLER, rows=rows)
        foreign = _foreign(file)
        if foreign is not None:
            return foreign
        arrow = file.read()
        if arrow.nbytes > t["file_bytes_at_most"]:
            return fail(Text.of("airlock.larger-than-said"), _SMALLER)
        names = [str(name) for name in arrow.column_names]
        columns: list[list[str | Decimal | None]] = []
        for number, name in enumerate(names):
            cells = _cells(arrow.column(number))
            if cells is None:
                why = Text.of("airlock.parquet-type", column=display_name(name, number))
                return fail(why, _PLAIN)
            columns.append(cells)
    except Unwritable as refused:
        return fail(refused.why, refused.fix)
    except (pa.ArrowException, OSError, ValueError, OverflowError):
        return fail(Text.of("airlock.not-parquet"), Text.of("airlock.not-parquet-fix"))
    table = table_of(names, columns, t)
    return table if isinstance(table, Issue) else ReadFile(table, {"airlock.rewritten-parquet": 1})


def _foreign(file: Any) -> Issue | None:
    """The issue with what a file holds beside its cells: notes of its writer, numbers and notes of its columns."""
    notes = set(file.metadata.metadata or {}) - KNOWN_METADATA
    schema = file.schema_arrow
    on_fields = [field.name for field in schema if field.metadata]
    if notes or on_fields:
        return fail(Text.of("airlock.parquet-metadata", count=len(notes) + len(on_fields)), _PLAIN)
    return None


def _cells(column: Any) -> list[str | Decimal | None] | None:
    """The cells of an Arrow column; None for a type that is no number, label, truth value or date."""
    import pyarrow as pa

    kind = column.type
    if pa.types.is_dictionary(kind):
        kind, column = kind.value_type, column.cast(kind.value_type)
    if pa.types.is_timestamp(kind):
        return _days(column) if kind.tz is None else None
    convert = next((convert for is_kind, convert in _converters(pa) if is_kind(kind)), None)
    if convert is None:
        return None
    short = pa.types.is_float32(kind) or pa.types.is_float16(kind)  # whose digits only NumPy prints as they are
    values = column.to_numpy() if short else column.to_pylist()
    return [None if value is None or value != value else convert(value) for value in values]


def _converters(pa: Any) -> list[tuple[Callable[[Any], bool], Callable[[Any], str | Decimal]]]:
    return [
        (pa.types.is_integer, lambda value: checked_number(Decimal(value))),
        (pa.types.is_floating, lambda value: checked_number(Decimal(str(value)))),
        (pa.types.is_decimal, checked_number),
        (pa.types.is_string, str),
        (pa.types.is_large_string, str),
        (pa.types.is_boolean, lambda value: str(value).lower()),
        (pa.types.is_date, lambda value: value.isoformat()),
        (pa.types.is_null, str),
    ]


def _days(column: Any) -> list[str | Decimal | None]:
    """Moments without a time zone as days, or to the second; a finer one raises an ``ArrowException``."""
    import pyarrow as pa

    moments: list[datetime | None] = column.cast(pa.timestamp("s")).to_pylist()
    days = all(each is None or each.time() == time() for each in moments)
    return [None if each is None else each.date().isoformat() if days else each.isoformat(" ") for each in moments]
