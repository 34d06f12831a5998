"""Rows with errors on purpose, counted by kind, so that tests can check that the intake rejects all of them.

Each such row has one error only. Rows to which a repair refers stay correct, so that no repair becomes an orphan. An
error replaces a correct row; duplicates and orphan repairs are added to the correct rows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from credit.catalogue import Table
from privacy.city.codes import with_wrong_check

KINDS = (
    "wrong_check_digit", "unknown_column", "duplicate", "before_existence", "repair_without_record", "wrong_unit",
    "other_encoding",
)  # fmt: skip
LEAST = 3  # minimum number of rows of each kind in the first chunk
_BEFORE = ("administrative_penalty", "administrative_licence", "contract_performance", "tax_arrears")
_WHOLE = ("loan_performance",)  # errors only in check digits, because its rows determine the label
Array = np.ndarray[Any, Any]


@dataclass(slots=True)
class DirtyTable:
    """The rows of a table with errors: rows in UTF-8, rows in another encoding, and rows with an additional column."""

    rows: pa.Table
    other_encoding: pa.Table
    unknown_column: pa.Table
    counts: dict[str, int] = field(default_factory=dict)


def add_dirt(
    rng: np.random.Generator, table: Table, rows: pa.Table, keep: Array, registered: Array, dirt: float, first: bool
) -> DirtyTable:
    """Put errors into some rows. ``keep`` (n,) marks rows to leave correct.

    ``registered`` (n,) are the days on which the subjects were registered, ``dirt`` the share of rows with errors.
    """
    least = LEAST if first and dirt > 0 else 0
    free = np.flatnonzero(~keep)
    free = free[rng.permutation(len(free))]
    counts: dict[str, int] = {}

    def choose(kind: str, share: float, eligible: Array | None = None) -> Array:
        nonlocal free
        pool = free if eligible is None else free[eligible[free]]
        wanted = min(max(round(share * dirt * rows.num_rows), least), len(pool) // 2)
        rows_of_kind = pool[:wanted]
        free = free[~np.isin(free, rows_of_kind)]
        counts[kind] = len(rows_of_kind)
        return rows_of_kind

    none = rows.slice(0, 0)
    if dirt <= 0 or table.registers:
        return DirtyTable(rows, none, none, counts)
    chosen = choose("wrong_check_digit", 0.35)
    rows = _put(
        rows, table.subject.name, chosen, lambda codes: with_wrong_check(np.array(codes.to_pylist(), dtype="S18"))
    )
    if table.name in _BEFORE:
        chosen = choose("before_existence", 0.5)
        happened = table.time.happened
        assert happened is not None
        early = registered - 40
        rows = _put(rows, happened.name, chosen, lambda _: early[chosen])
    for amount in (f for f in table.fields if f.unit == "万元" and f.maximum and f.required | (f.column == "fine")):
        if table.name in _WHOLE:
            continue
        maximum = amount.maximum or 0.0
        values = rows[amount.name].to_numpy(zero_copy_only=False)
        chosen = choose("wrong_unit", 0.5, np.nan_to_num(values.astype(float)) * 10000 > maximum)
        rows = _put(rows, amount.name, chosen, lambda amounts: np.round(amounts.to_numpy(zero_copy_only=False) * 10000))
        break
    other = unknown = none
    if any(f.column == "subject_name" for f in table.fields) and table.name not in _WHOLE:
        chosen = choose("other_encoding", 0.3)
        other = rows.take(pa.array(chosen))
        removed = chosen
        if table.name == "honour" and first:
            more = free[: min(12, len(free) // 2)]
            free = free[~np.isin(free, more)]
            counts["unknown_column"] = len(more)
            unknown = rows.take(pa.array(more))
            removed = np.concatenate([chosen, more])
    else:
        removed = np.array([], np.int64)
    duplicates = rows.take(pa.array(choose("duplicate", 0.35)))
    remaining = rows.filter(pa.array(~np.isin(np.arange(rows.num_rows), removed)))
    return DirtyTable(pa.concat_tables([remaining, duplicates]), other, unknown, counts)


def orphan_repairs(rng: np.random.Generator, table: Table, repairs: pa.Table, dirt: float, first: bool) -> pa.Table:
    """Additional repairs of records that do not exist, with numbers of their own, so that they are no duplicates."""
    wanted = max(round(4 * dirt * repairs.num_rows), LEAST if first and dirt > 0 else 0)
    drawn = repairs.take(pa.array(rng.integers(0, max(repairs.num_rows, 1), wanted if repairs.num_rows else 0)))
    for column, word in (("document_number", "查无此件"), ("repair_number", "补")):
        name = table.field(column).name
        unlike = pa.array([f"{word}{k:05d}" for k in range(drawn.num_rows)], pa.string())
        mixed = pc.binary_join_element_wise(drawn[name], unlike, "")
        drawn = drawn.set_column(drawn.column_names.index(name), name, mixed)
    return drawn


def _put(rows: pa.Table, name: str, places: Array, change: Callable[[Any], Array]) -> pa.Table:
    """``rows`` with the values of one column at ``places`` replaced by ``change(values)``."""
    if not len(places):
        return rows
    column = rows[name].combine_chunks()
    new = pa.array(change(column.take(pa.array(places)))).cast(column.type)
    order = np.arange(len(column))
    order[places] = len(column) + np.arange(len(places))
    whole = pa.concat_arrays([column, new]).take(pa.array(order))
    return rows.set_column(rows.column_names.index(name), name, whole)
