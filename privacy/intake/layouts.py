"""Layouts: the table of a raw file by its name, and the meaning of its columns by its header, never by content.

In a layout of the catalogue a source header that begins with ``=`` is a constant: ``{"=in": 方向}`` gives every row of
that layout the value ``in``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from credit.catalogue import Catalogue, Table


@dataclass(frozen=True, slots=True)
class Layout:
    """The columns of one file: source header -> field, constants (field -> text), unknown headers, missing fields."""

    name: str
    columns: Mapping[str, str]
    constants: Mapping[str, str]
    unknown: tuple[str, ...]
    missing: tuple[str, ...]


def table_of(file: str, catalogue: Catalogue) -> Table | None:
    """The table whose ``file`` pattern matches a file's name, or None."""
    for table in catalogue.tables.values():
        if any(fnmatchcase(file, pattern) for pattern in table.files):
            return table
    return None


def choose_layout(table: Table, header: Sequence[str]) -> Layout:
    """The layout with the fewest missing required fields, then the fewest unknown columns (the official one first).

    Its ``missing`` is empty when the file can be read with it.
    """
    layouts = {"official": {}, **table.layouts}
    candidates = [_fit(table, name, renamed, header) for name, renamed in layouts.items()]
    return min(candidates, key=lambda layout: (len(layout.missing), len(layout.unknown)))


def _fit(table: Table, name: str, renamed: Mapping[str, str], header: Sequence[str]) -> Layout:
    fields = {field.name for field in table.fields}
    columns: dict[str, str] = {}
    for source in header:
        field = renamed.get(source, source)
        if field in fields and field not in columns.values():
            columns[source] = field
    constants = {key: str(value) for key, value in table.constants.items()}
    constants |= {field: key[1:] for key, field in renamed.items() if key.startswith("=")}
    constants = {field: value for field, value in constants.items() if field not in columns.values()}
    present = {*columns.values(), *constants}
    # A layout applies only when at least one of its own headers is present; its constants alone are not enough.
    own = [source for source in renamed if not source.startswith("=")]
    absent = [own[0]] if own and not any(source in columns for source in own) else []
    missing = [field.name for field in table.fields if field.required and field.name not in present]
    return Layout(name, columns, constants, tuple(h for h in header if h not in columns), tuple(missing + absent))
