"""A table that compute judged leaves the lab without a reviewer, where its seal says that policy approved it.

What leaves is written here from the table's parsed columns, as CSV; no submitted bytes are in it. The parcel names
the table as its parent, and the ledger who carried it out.
"""

from __future__ import annotations

import csv
import io
from datetime import date
from typing import Any

import pyarrow.parquet as pq

from credit.actor import Actor
from credit.errors import Malformed, Refused
from credit.keys import SigningKey
from credit.ledger import Ledger
from credit.seal import Kind, Seal
from credit.shelf import OpenedSeal, Shelf
from lab.airlock.exits import EXITS, require_open

LEFT = "table.left"
FILE, TABLE_FILE = "table.csv", "table.parquet"


def carry_table_out(
    table: str, *, project: str, shelf: Shelf, outbox: Shelf, key: SigningKey, ledger: Ledger, by: Actor, today: date
) -> Seal:
    """The PARCEL seal in the outbox; done twice it is the same one, entered once.

    Raises :class:`Refused` for a table of another project and for one that policy did not approve, and
    :class:`Malformed` for a seal of another kind, :class:`~credit.errors.Lapsed` while the exits are closed.
    """
    require_open(ledger.about(EXITS))
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
        (folder / FILE).write_text(as_csv(columns_of(opened)), encoding="utf-8")
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


def as_csv(columns: dict[str, list[object]]) -> str:
    """Columns as CSV (RFC 4180, ``\\n`` at the end of a line); a missing value is empty."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(columns)
    for row in zip(*columns.values(), strict=True):
        writer.writerow(["" if value is None else value for value in row])
    return stream.getvalue()
