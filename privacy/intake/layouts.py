"""Layouts: the table of a raw file by its name, and the meaning of its columns by its header, never by content.

A column is recognised by the official code of a field, by its title, by its name in an older layout of the catalogue,
or by what a source unit's mapping says; width, case, blanks and brackets do not matter. In a layout of the catalogue a
source header that begins with ``=`` is a constant: ``{"=in": 方向}`` gives every row of that layout the value ``in``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import PurePath

from credit.catalogue import Catalogue, Table
from privacy.files.header import comparable
from privacy.quarantine.store import ORIGINAL, REASON, WAITING_ID

UNITS = ("元", "万元", "亿元", "千元")
_UNIT = re.compile(rf"\((?:单位)?({'|'.join(UNITS)})\)$")
_BRACKETS = re.compile(r"\(([^()]*)\)")
NUMBERING = frozenset(map(comparable, ("序号", "序", "行号", "编号", "No", "No.")))
"""Columns that number the rows of a file: they say nothing about a record."""
_WAITING = comparable(WAITING_ID)
_ANNOTATED = frozenset(map(comparable, (REASON, ORIGINAL)))


@dataclass(frozen=True, slots=True)
class Learnt:
    """What a source unit's files are: their names, their table, their columns (source -> field) and constants."""

    source: str
    files: tuple[str, ...]
    table: str
    columns: Mapping[str, str]
    constants: Mapping[str, str]

    def fits(self, file: str) -> bool:
        """Whether a file of this name is one of the source unit's."""
        return any(fnmatchcase(file.casefold(), pattern.casefold()) for pattern in self.files)


@dataclass(frozen=True, slots=True)
class Layout:
    """The columns of one file: source header -> field, constants (field -> text), unknown headers, missing fields.

    ``units`` are the units of money that headers name (field -> unit), ``waiting`` is the column with the row of the
    quarantine that a row corrects.
    """

    name: str
    columns: Mapping[str, str]
    constants: Mapping[str, str]
    unknown: tuple[str, ...]
    missing: tuple[str, ...]
    units: Mapping[str, str] = field(default_factory=dict)
    waiting: str | None = None


def table_of(file: str, catalogue: Catalogue, learnt: Sequence[Learnt] = ()) -> Table | None:
    """The table of a file: by a source unit's mapping, by the catalogue's pattern whatever the ending is, or by the
    Chinese title of a table with which the name begins. None when there is none."""
    for mapping in learnt:
        if mapping.fits(file) and mapping.table in catalogue.tables:
            return catalogue.tables[mapping.table]
    stem = PurePath(file).stem.casefold()
    for table in catalogue.tables.values():
        if any(fnmatchcase(stem, PurePath(pattern).stem.casefold()) for pattern in table.files):
            return table
    for table in catalogue.tables.values():
        if stem.startswith(f"{table.name}__"):  # a file back from the quarantine
            return table
    titled = [table for table in catalogue.tables.values() if stem.startswith(table.title.casefold())]
    return max(titled, key=lambda table: len(table.title), default=None)


def known_names(table: Table, learnt: Sequence[Learnt]) -> frozenset[str]:
    """The names that a header of this table may have, in their comparable form, with and without a unit."""
    names = set(_aliases(table))
    for renamed in (*table.layouts.values(), *(mapping.columns for mapping in learnt)):
        names |= {comparable(source) for source in renamed if not source.startswith("=")}
    with_units = {f"{name}({unit})" for name in names for unit in UNITS}
    return frozenset(names | with_units | NUMBERING)


def choose_layout(table: Table, header: Sequence[str], learnt: Sequence[Learnt] = ()) -> Layout:
    """The layout with the fewest missing required fields, then the fewest unknown columns (the official one first).

    Its ``missing`` is empty when the file can be read with it. A source unit's mapping comes before all others.
    """
    if learnt:
        return _fit(table, learnt[0].source, learnt[0].columns, learnt[0].constants, header)
    layouts = {"official": {}, **table.layouts}
    candidates = [_fit(table, name, renamed, {}, header) for name, renamed in layouts.items()]
    return min(candidates, key=lambda layout: (len(layout.missing), len(layout.unknown)))


def _fit(
    table: Table, name: str, renamed: Mapping[str, str], given: Mapping[str, str], header: Sequence[str]
) -> Layout:
    own = {comparable(source): target for source, target in renamed.items() if not source.startswith("=")}
    aliases = _aliases(table)
    columns: dict[str, str] = {}
    units: dict[str, str] = {}
    waiting: str | None = None
    ignored: set[str] = set()
    for source in header:
        plain = comparable(source)
        unit = _UNIT.search(plain)
        shorter = plain[: unit.start()] if unit else plain
        target = own.get(plain) or own.get(shorter) or aliases.get(plain) or aliases.get(shorter)
        if target and target not in columns.values():
            columns[source] = target
            if unit and unit[1] != table.field(target).unit:
                units[target] = unit[1]
        elif plain == _WAITING:
            waiting = source
            ignored.add(source)
        elif not target and (plain in NUMBERING or plain in _ANNOTATED):
            ignored.add(source)
    constants = {key: str(value) for key, value in table.constants.items()} | dict(given)
    constants |= {target: key[1:] for key, target in renamed.items() if key.startswith("=")}
    constants = {target: value for target, value in constants.items() if target not in columns.values()}
    present = {*columns.values(), *constants}
    # A layout applies only when at least one of its own headers is present; its constants alone are not enough.
    sources = [source for source in renamed if not source.startswith("=")]
    headers = {comparable(source) for source in header}
    absent = [sources[0]] if sources and not any(comparable(source) in headers for source in sources) else []
    missing = [each.name for each in table.fields if each.required and each.name not in present]
    unknown = tuple(h for h in header if h not in columns and h not in ignored)
    return Layout(name, columns, constants, unknown, tuple(missing + absent), units, waiting)


def _aliases(table: Table) -> dict[str, str]:
    """Comparable name -> field. A code comes before a title, a title before a part of one; a name of two is none's."""
    aliases: dict[str, str] = {}
    for names_of in (
        lambda each: [each.name],
        lambda each: [each.column],
        lambda each: [each.title],
        lambda each: [_BRACKETS.sub("", comparable(each.title))],
        lambda each: _BRACKETS.findall(comparable(each.title)),
    ):
        level: dict[str, str | None] = {}
        for each in table.fields:
            for name in {comparable(name) for name in names_of(each)} - {""}:
                level[name] = None if name in level else each.name
        aliases = {name: target for name, target in level.items() if target} | aliases
    return aliases
