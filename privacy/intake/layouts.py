"""Which table a raw file is of, and what its columns mean: chosen by file name and header, never by content.

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
    """What the columns of one file mean: source header -> field, constants (field -> text), and what is unknown."""

    name: str
    columns: Mapping[str, str]
    constants: Mapping[str, str]
    unknown: tuple[str, ...]
    missing: tuple[str, ...]


def table_of(file: str, catalogue: Catalogue) -> Table | None:
    """The table whose ``file`` pattern fits a file's name; None when none does."""
    for table in catalogue.tables.values():
        if any(fnmatchcase(file, pattern) for pattern in table.files):
            return table
    return None


def choose(table: Table, header: Sequence[str]) -> Layout:
    """The layout that misses the fewest required fields, then knows the most columns (the official one first).

    ``missing`` is empty when the file can be read with it.
    """
    layouts = {"official": {}, **table.layouts}
    found = [_fit(table, name, renamed, header) for name, renamed in layouts.items()]
    return min(found, key=lambda layout: (len(layout.missing), len(layout.unknown)))


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
    there = {*columns.values(), *constants}
    # A layout must really be there: one of whose own headers none is seen does not fit because of its constants.
    own = [source for source in renamed if not source.startswith("=")]
    absent = [own[0]] if own and not any(source in columns for source in own) else []
    missing = [field.name for field in table.fields if field.required and field.name not in there]
    return Layout(name, columns, constants, tuple(h for h in header if h not in columns), tuple(missing + absent))
