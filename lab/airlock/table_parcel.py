"""A table that compute judged leaves the lab without a reviewer, where its seal says that policy approved it.

What leaves is written from the table's model, as CSV and Parquet, like every table of a parcel: a label that a
spreadsheet would run as a formula keeps the table inside. The parcel names the table as its parent, and the ledger who
carried it out.
"""

from __future__ import annotations

import math
from datetime import date
from typing import Any

import pyarrow.parquet as pq

from credit.actor import Actor
from credit.errors import Malformed, Refused
from credit.keys import SigningKey
from credit.ledger import Ledger
from credit.seal import Kind, Seal
from credit.shelf import OpenedSeal, Shelf
from lab.airlock.exits import EXITS, require_exits_open
from lab.airlock.issue import Issue
from lab.airlock.kinds.tables.parquet_reading import read_parquet
from lab.airlock.kinds.tables.table_format import TableFormat

LEFT = "table.left"
FILE, TABLE_FILE = "table.csv", "table.parquet"
LIMITS = {
    "rows_at_most": 10**6, "cells_at_most": 10**7, "columns_at_most": 1_000, "file_bytes_at_most": 1 << 30,
    "row_order_bits_at_most": math.inf,
}  # fmt: skip
"""Compute's own policy limits a table, and the order of its rows is compute's; the reader of tables needs these."""


def carry_table_out(
    table: str, *, project: str, shelf: Shelf, outbox: Shelf, key: SigningKey, ledger: Ledger, by: Actor, today: date
) -> Seal:
    """The PARCEL seal in the outbox; done twice it is the same one, entered once.

    Raises :class:`Refused` for a table of another project, for one that policy did not approve, and for one with a
    label that may not leave; :class:`Malformed` for a seal of another kind, :class:`~credit.errors.Lapsed` while the
    exits are closed.
    """
    require_exits_open(ledger.about(EXITS))
    opened = shelf.open(table, today=today)
    seal = opened.seal
    if seal.kind is not Kind.TABLE:
        raise Malformed("table-parcel.not-a-table", seal_short=seal.short, kind=seal.kind.text)
    if seal.terms.get("project") != project:
        raise Refused("table-parcel.of-another-project", seal_short=seal.short)
    if not seal.terms.get("approved_by"):
        raise Refused("table-parcel.not-approved", seal_short=seal.short)
    terms = {
        "project": project,
        "author": str(by),
        "approved_by": seal.terms["approved_by"],
        "thresholds": seal.terms["verdict"]["thresholds"],
        "invented": bool(seal.terms.get("invented", False)),
    }
    with outbox.staging() as folder:
        for name, content in _written(opened).items():
            (folder / name).write_bytes(content)
        parcel = outbox.put(
            folder, Kind.PARCEL, parents=(seal.id,), terms=terms, expires_on=seal.expires_on, by=by, key=key
        )
    if not any(entry.verb == LEFT and entry.details.get("parcel") == parcel.id for entry in ledger.about(seal.id)):
        details = {"project": project, "parcel": parcel.id, "approved_by": terms["approved_by"]}
        ledger.append(LEFT, seal.id, by=by, details=details)
    return parcel


def columns_of(table: OpenedSeal) -> dict[str, list[Any]]:
    """The columns of a table by name, of a seal whose files were verified."""
    columns: dict[str, list[Any]] = pq.read_table(table.path / TABLE_FILE).to_pydict()
    return columns


def _written(table: OpenedSeal) -> dict[str, bytes]:
    """The files that leave, by name; raises :class:`Refused` for a table that has no place in the model of tables."""
    format = TableFormat(read_parquet)
    read = format.read((table.path / TABLE_FILE).read_bytes(), LIMITS)
    if isinstance(read, Issue):
        raise Refused("table-parcel.cannot-be-written", seal_short=table.seal.short, why=read.why, remedy=read.fix)
    return format.write(FILE, read.model)
