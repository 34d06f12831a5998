"""Map a block of a raw file to the columns of its table: rename columns, add constants, collect unknown values."""

from __future__ import annotations

import re

import pyarrow as pa
import pyarrow.compute as pc

from credit.catalogue import Table
from privacy.intake import file_reading, layouts


def map_columns(table: Table, layout: layouts.Layout | None, block: file_reading.Block) -> pa.Table:
    """A block as text columns with the names of the table's columns, ``_line``, ``_unknown`` and
    ``_unknown_values``.
    """
    rows, count = block.rows, len(block.rows)
    source_of = {field: source for source, field in layout.columns.items()} if layout else {}
    constants = layout.constants if layout else {}
    arrays: dict[str, pa.Array | pa.ChunkedArray] = {}
    for field in table.fields:
        if field.name in source_of:
            arrays[field.column] = rows.column(source_of[field.name])
        else:
            arrays[field.column] = pa.repeat(pa.scalar(constants.get(field.name), pa.string()), count)
    names, values = _unknown(rows, layout.unknown if layout else ())
    return pa.table(arrays | {"_line": pa.array(block.lines), "_unknown": names, "_unknown_values": values})


def _unknown(rows: pa.Table, columns: tuple[str, ...]) -> tuple[pa.Array | pa.ChunkedArray, pa.Array | pa.ChunkedArray]:
    """For each row the names of the unknown columns that have a value, and the values; null when none has one."""
    nothing = pa.nulls(len(rows), pa.string())
    names: pa.Array | pa.ChunkedArray = nothing
    values: pa.Array | pa.ChunkedArray = nothing
    for column in columns:
        value = rows.column(column)
        has_value = pc.fill_null(pc.not_equal(pc.utf8_trim_whitespace(value), ""), False)
        names = pc.if_else(has_value, _joined(names, pa.repeat(pa.scalar(name_for_report(column)), len(rows))), names)
        values = pc.if_else(has_value, _joined(values, value), values)
    return names, values


def name_for_report(column: str) -> str:
    """The name of an unknown column for reports and ledgers: a header may be a row of data, with names and numbers.

    A name is shown that is a field code of the national standards (Latin letters, digits, underscores; at most 40
    characters, no six digits in a row). Of another the report says that it is not shown; the file has it.
    """
    is_code = re.fullmatch(r"[A-Za-z][A-Za-z0-9_]{0,39}", column) is not None
    return column if is_code and not re.search(r"\d{6}", column) else "a name that is not shown"


def _joined(before: pa.Array | pa.ChunkedArray, more: pa.Array | pa.ChunkedArray) -> pa.Array | pa.ChunkedArray:
    return pc.binary_join_element_wise(before, more, ", ", null_handling="skip")
