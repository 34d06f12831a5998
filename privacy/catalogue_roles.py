"""Which tables and fields of a catalogue play a part in custody: the register, the repairs, the record state."""

from __future__ import annotations

from collections.abc import Callable

from credit.catalogue import Catalogue, Table
from credit.fields import Field

Progress = Callable[[str, int, int], None]  # what is being done, how many are done, of how many


def quiet(doing: str, done: int, total: int) -> None:
    """The progress of somebody who does not look."""


def register(catalogue: Catalogue) -> Table | None:
    """The table with one row a subject (登记): the one that says ``registers: true``, or is called registration."""
    told = [table for table in catalogue.tables.values() if table.registers]
    return told[0] if told else catalogue.tables.get("registration")


def repairs(catalogue: Catalogue) -> Table | None:
    """The table of credit repairs (信用修复)."""
    return catalogue.tables.get("credit_repair")


def state(table: Table) -> Field | None:
    """The field that says whether a record is disputed (异议) or revoked; its first enum value means it stands."""
    return table.state or next((field for field in table.fields if field.column == "record_state"), None)


def in_order(catalogue: Catalogue) -> list[Table]:
    """All tables, the register first (others are checked against it), the repairs last (they name other records)."""
    first, last = register(catalogue), repairs(catalogue)
    between = [table for table in catalogue.tables.values() if table not in (first, last)]
    return [table for table in (first, *between, last) if table is not None]
