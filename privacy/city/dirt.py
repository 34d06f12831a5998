"""Dirty rows on purpose, counted by kind, so that a test can see whether intake finds them all.

A row is spoiled in one way only. Rows that a repair points to are left whole: a repair must not become an orphan by
our doing. What is spoiled in place is gone from the clean city; duplicates and orphan repairs come on top.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from credit.catalogue import Table
from privacy.city.codes import spoiled

KINDS = (
    "wrong_check_digit", "unknown_column", "duplicate", "before_existence", "repair_without_record", "wrong_unit",
    "other_encoding",
)  # fmt: skip
LEAST = 3  # rows of each kind at least, in the first chunk
_BEFORE = ("administrative_penalty", "administrative_licence", "contract_performance", "tax_arrears")
_WHOLE = ("loan_performance",)  # kept whole but for check digits: its rows make the label
Array = np.ndarray[Any, Any]


@dataclass(slots=True)
class Soiled:
    """A table's rows after the dirt: clean bytes, bytes in another encoding, and rows with a further column."""

    rows: pa.Table
    other_encoding: pa.Table
    unknown_column: pa.Table
    counts: dict[str, int] = field(default_factory=dict)


def soil(
    rng: np.random.Generator, table: Table, rows: pa.Table, keep: Array, born: Array, dirt: float, first: bool
) -> Soiled:
    """Spoil some rows. ``keep`` (n,) are rows not to touch, ``born`` (n,) the days their subjects were registered."""
    least = LEAST if first and dirt > 0 else 0
    free = np.flatnonzero(~keep)
    free = free[rng.permutation(len(free))]
    counts: dict[str, int] = {}

    def some(kind: str, share: float, among: Array | None = None) -> Array:
        nonlocal free
        pool = free if among is None else free[among[free]]
        wanted = min(max(round(share * dirt * rows.num_rows), least), len(pool) // 2)
        taken = pool[:wanted]
        free = free[~np.isin(free, taken)]
        counts[kind] = len(taken)
        return taken

    none = rows.slice(0, 0)
    if dirt <= 0 or table.registers:
        return Soiled(rows, none, none, counts)
    chosen = some("wrong_check_digit", 0.35)
    rows = _put(rows, table.subject.name, chosen, lambda codes: spoiled(np.array(codes.to_pylist(), dtype="S18")))
    if table.name in _BEFORE:
        chosen = some("before_existence", 0.5)
        happened = table.time.happened
        assert happened is not None
        early = born - 40
        rows = _put(rows, happened.name, chosen, lambda _: early[chosen])
    for money in (f for f in table.fields if f.unit == "万元" and f.maximum and f.required | (f.column == "fine")):
        if table.name in _WHOLE:
            continue
        maximum = money.maximum or 0.0
        values = rows[money.name].to_numpy(zero_copy_only=False)
        chosen = some("wrong_unit", 0.5, np.nan_to_num(values.astype(float)) * 10000 > maximum)
        rows = _put(rows, money.name, chosen, lambda amounts: np.round(amounts.to_numpy(zero_copy_only=False) * 10000))
        break
    other = unknown = none
    if any(f.column == "subject_name" for f in table.fields) and table.name not in _WHOLE:
        chosen = some("other_encoding", 0.3)
        other = rows.take(pa.array(chosen))
        gone = chosen
        if table.name == "honour" and first:
            more = free[: min(12, len(free) // 2)]
            free = free[~np.isin(free, more)]
            counts["unknown_column"] = len(more)
            unknown = rows.take(pa.array(more))
            gone = np.concatenate([chosen, more])
    else:
        gone = np.array([], np.int64)
    twice = rows.take(pa.array(some("duplicate", 0.35)))
    left = rows.filter(pa.array(~np.isin(np.arange(rows.num_rows), gone)))
    return Soiled(pa.concat_tables([left, twice]), other, unknown, counts)


def orphans(rng: np.random.Generator, table: Table, repairs: pa.Table, dirt: float, first: bool) -> pa.Table:
    """Further repairs that name a record which was never there; own numbers, so they are no duplicates."""
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
