"""Map a block of a raw file to the columns of its table: rename columns, add constants, collect unknown values."""

from __future__ import annotations

from typing import Any, TypeAlias

import pyarrow as pa
import pyarrow.compute as pc

from credit.catalogue import Table
from privacy.files.block import Block
from privacy.files.header import name_for_report
from privacy.intake.layouts import Layout

Column: TypeAlias = pa.Array | pa.ChunkedArray


def map_columns(table: Table, layout: Layout, block: Block) -> pa.Table:
    """A block as text columns with the names of the table's columns, ``_line``, ``_waiting``, ``_unknown`` and
    ``_unknown_values``.
    """
    rows, count = block.rows, len(block.rows)
    source_of = {target: source for source, target in layout.columns.items()}
    arrays: dict[str, Column] = {}
    for field in table.fields:
        if field.name in source_of:
            values = rows.column(source_of[field.name])
            unit = layout.units.get(field.name)
            arrays[field.column] = _with_unit(values, unit) if unit else values
        else:
            arrays[field.column] = pa.repeat(pa.scalar(layout.constants.get(field.name), pa.string()), count)
    names, values = _unknown(rows, layout.unknown)
    waiting = rows.column(layout.waiting) if layout.waiting else pa.nulls(count, pa.string())
    own = {"_line": pa.array(block.lines), "_waiting": waiting, "_unknown": names, "_unknown_values": values}
    return pa.table(arrays | own)


def _with_unit(values: Column, unit: str) -> Any:
    """Numbers with the unit that the header names; what is no plain number stays as it is."""
    is_number = pc.match_substring_regex(values, r"^\s*[-+]?[0-9.,]+\s*$")
    return pc.if_else(is_number, _joined(values, pa.repeat(pa.scalar(unit), len(values)), ""), values)


def _unknown(rows: pa.Table, columns: tuple[str, ...]) -> tuple[Column, Column]:
    """For each row the names of the unknown columns that have a value, and the values; null when none has one."""
    nothing = pa.nulls(len(rows), pa.string())
    names: Column = nothing
    values: Column = nothing
    for column in columns:
        value = rows.column(column)
        has_value = pc.fill_null(pc.not_equal(pc.utf8_trim_whitespace(value), ""), False)
        names = pc.if_else(has_value, _joined(names, pa.repeat(pa.scalar(name_for_report(column)), len(rows))), names)
        values = pc.if_else(has_value, _joined(values, value), values)
    return names, values


def _joined(before: Column, more: Column, separator: str = ", ") -> Any:
    return pc.binary_join_element_wise(before, more, separator, null_handling="skip")
