"""Corrected rows that come back without their ids: a stored row ends the waiting of the row that it corrects.

A department often sends its own file again instead of the one that it got back. A good row is the correction of a
waiting one when both have the key of one record; where the fault is in the key itself, when all else is the same, the
day of arrival apart, and no other row fits. What is not certain goes on waiting: an id ends it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from credit.catalogue import Table
from credit.fields import Field
from privacy.duckdb_engine import Engine, quoted, text
from privacy.files.block import Block
from privacy.intake import layouts, row_checks
from privacy.intake.column_mapping import map_columns
from privacy.intake.normalising import normalised
from privacy.quarantine.annotated import fields_of
from privacy.quarantine.store import CORRECTED


def find_corrections(
    engine: Engine, table: Table, pool: str, waiting: Sequence[dict[str, Any]], faults: tuple[row_checks.Fault, ...]
) -> None:
    """Put the waiting rows of a table that rows of the relation ``pool`` correct into ``came_back``.

    ``waiting`` are rows of the quarantine, ``faults`` those that the rows of the table are checked for.
    """
    split = [(row, values) for row in waiting if (values := fields_of(row)) is not None and row["id"]]
    if not split:
        return
    given = {each.name: pa.array([values.get(each.name) for _, values in split], pa.string()) for each in table.fields}
    block = Block(pa.table(given), np.arange(len(split), dtype=np.int64))
    mapped = map_columns(table, layouts.choose_layout(table, block.rows.column_names), block)
    engine.register("waiting_rows", normalised(table, mapped))
    ids = {"_line": pa.array(block.lines), "id": [row["id"] for row, _ in split]}
    engine.register(
        "waiting_ids",
        pa.table(
            ids | {"digest": [row["digest"] for row, _ in split], "fault": [row["field"] or "" for row, _ in split]}
        ),
    )
    typed = row_checks.typed_rows_sql(table, "waiting_rows", faults)
    named = f"SELECT t.*, i.id, i.digest, i.fault FROM ({typed}) t JOIN waiting_ids i USING (_line)"
    engine.execute(f"CREATE TEMP TABLE waiting AS {named}")
    for fault in sorted({row["field"] or "" for row, _ in split}):
        if same := _same(table, fault):
            fits = f"""SELECT w.id, p._file, count(*) OVER (PARTITION BY w.id) AS rows,
                    count(*) OVER (PARTITION BY p.rowid) AS others
                FROM {pool} p JOIN waiting w ON w.fault = {text(fault)} AND {same}
                WHERE trim(coalesce(p._waiting, '')) = '' AND p._source <> w.digest"""
            certain = "true" if _by_key(table, fault) else "rows = 1 AND others = 1"
            engine.execute(
                f"INSERT INTO came_back SELECT DISTINCT id, _file, {text(CORRECTED)} FROM ({fits}) WHERE {certain}"
            )
    engine.execute("DROP TABLE waiting")
    engine.unregister("waiting_rows")
    engine.unregister("waiting_ids")


def _by_key(table: Table, fault: str) -> bool:
    return bool(table.key) and fault not in {field.name for field in table.key}


def _same(table: Table, fault: str) -> str:
    """SQL that is true for a row ``p`` and a waiting row ``w`` of one record; empty where nothing could be certain."""
    if _by_key(table, fault):
        return " AND ".join(f"p.{quoted(field.column)} = w.{quoted(field.column)}" for field in table.key)
    others: list[Field] = [each for each in table.fields if each.name != fault and each is not table.time.known]
    identifying = [each for each in others if each in table.key or each is table.subject]
    if not fault or not identifying:
        return ""
    known = " OR ".join(f"w.{quoted(each.column)} IS NOT NULL" for each in identifying)
    equal = (f"p.{quoted(each.column)} IS NOT DISTINCT FROM w.{quoted(each.column)}" for each in others)
    return f"({known}) AND {' AND '.join(equal)}"
