"""The tables and fields of a catalogue with a role in custody: the register, the repairs, the record state."""

from __future__ import annotations

from collections.abc import Callable

from credit.catalogue import Catalogue, Table
from credit.fields import Field

Progress = Callable[[str, int, int], None]  # (step, number done, total)


def no_progress(doing: str, done: int, total: int) -> None:
    """Report no progress."""


def register_table(catalogue: Catalogue) -> Table | None:
    """The table with one row per subject (登记): the one with ``registers: true``, else the one named registration."""
    registers = [table for table in catalogue.tables.values() if table.registers]
    return registers[0] if registers else catalogue.tables.get("registration")


def repairs_table(catalogue: Catalogue) -> Table | None:
    """The table of credit repairs (信用修复), or None."""
    return catalogue.tables.get("credit_repair")


def state_field(table: Table) -> Field | None:
    """The field that says whether a record is disputed (异议) or revoked; its first enum value means it is valid."""
    return table.state or next((field for field in table.fields if field.column == "record_state"), None)


def intake_order(catalogue: Catalogue) -> list[Table]:
    """All tables, the register first (others are checked against it), the repairs last (they refer to others)."""
    first, last = register_table(catalogue), repairs_table(catalogue)
    between = [table for table in catalogue.tables.values() if table not in (first, last)]
    return [table for table in (first, *between, last) if table is not None]
