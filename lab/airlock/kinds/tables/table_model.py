"""The model of a table (表格模型): named columns of numbers at one precision, or of labels, and nothing else."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from credit.messages import Text
from lab.airlock.grid import Grid
from lab.airlock.issue import Issue, display_name, fail
from lab.airlock.kinds.tables.spelling import Cell, Unwritable, cell_of, has_leading_zeros, name_of, plain
from lab.airlock.thresholds import Thresholds

_JOINT = re.compile(r"(?<=[^\W\d_])[ _-](?=[^\W\d_])")
_CODE = re.compile(r"\d+")


@dataclass(frozen=True, slots=True)
class TableColumn:
    """A column: its name and its cells, all of them numbers or all of them labels; None is a cell without a value."""

    name: str
    cells: tuple[Cell, ...]

    @property
    def numeric(self) -> bool:
        """True for a column of numbers with at least one of them."""
        values = [cell for cell in self.cells if cell is not None]
        return bool(values) and all(isinstance(cell, Decimal) for cell in values)

    @property
    def decimals(self) -> int:
        """The decimals of the column's numbers: as many as the longest of them needs."""
        numbers = [cell for cell in self.cells if isinstance(cell, Decimal)]
        return max((-min(int(number.as_tuple().exponent), 0) for number in numbers), default=0)

    @property
    def texts(self) -> tuple[str, ...]:
        """The cells as they are written and shown; a cell without a value is empty."""
        decimals = self.decimals
        return tuple("" if c is None else plain(c, decimals) if isinstance(c, Decimal) else c for c in self.cells)

    @property
    def type(self) -> str:
        """The type as it is shown: ``label``, ``integer``, or ``number .2`` for two decimals."""
        if not self.numeric:
            return "label"
        return f"number .{self.decimals}" if self.decimals else "integer"


@dataclass(frozen=True, slots=True)
class TableModel:
    """A table: columns of equal length with different names."""

    columns: tuple[TableColumn, ...]

    @property
    def rows(self) -> int:
        """The number of rows."""
        return len(self.columns[0].cells)

    @property
    def grid(self) -> Grid:
        """The table as the checks read it."""
        rows = list(zip(*(column.texts for column in self.columns), strict=True))
        return Grid.of([column.name for column in self.columns], rows)


def spelled_alike(labels: Sequence[str | None]) -> tuple[str | None, ...]:
    """Labels that differ in capitals, or in what joins their words, are written as the first of them is."""
    first: dict[str, str] = {}
    return tuple(each and first.setdefault(_JOINT.sub(" ", each.casefold()), each) for each in labels)


def table_of(
    names: Sequence[str], columns: Sequence[Sequence[str | Decimal | None]], t: Thresholds
) -> TableModel | Issue:
    """The table with these names and columns of equal length, or the issue that names what has no place in it."""
    rows = len(columns[0]) if columns else 0
    if len(names) > 10 * t["columns_at_most"]:  # the checks refuse smaller tables too, but read them first
        return fail(Text.of("airlock.too-many-columns", columns=len(names)), Text.of("airlock.row-level-fix"))
    if rows * len(names) > 10 * t["cells_at_most"]:
        why = Text.of("airlock.too-many-cells", rows=rows, cells=rows * len(names))
        return fail(why, Text.of("airlock.row-level-fix"))
    built: list[TableColumn] = []
    for number, (name, cells) in enumerate(zip(names, columns, strict=True)):
        try:
            built.append(TableColumn(name_of(name), ()))
            built[-1] = TableColumn(built[-1].name, _cells(cells))
        except Unwritable as refused:
            return _refused(refused, display_name(name, number))
    own_names = [column.name for column in built]
    if not built or all(_is_number(name) for name in own_names):
        return fail(Text.of("airlock.no-header"), Text.of("airlock.write-csv"))
    times = Counter(own_names)
    twice = [n for n, name in enumerate(own_names) if times[name] > 1]
    if twice:
        why = Text.of("airlock.columns-of-one-name", column=display_name(own_names[twice[0]], twice[0]))
        return fail(why, Text.of("airlock.columns-of-one-name-fix"), how_many=len(twice))
    return TableModel(tuple(built))


def _cells(cells: Sequence[str | Decimal | None]) -> tuple[Cell, ...]:
    """The cells of one column; raises :class:`Unwritable`, whose ``row`` tells the first row that is refused."""
    read: list[Cell] = []
    for row, cell in enumerate(cells):
        try:
            read.append(cell_of(cell) if isinstance(cell, str) else cell)
        except Unwritable as refused:
            refused.row = row + 1
            raise
    values = [cell for cell in read if cell is not None]
    if any(isinstance(cell, str) and has_leading_zeros(cell) for cell in values):
        texts = [plain(cell) if isinstance(cell, Decimal) else cell for cell in values]
        if not all(_CODE.fullmatch(text) for text in texts) or len({len(text) for text in texts}) > 1:
            raise Unwritable(Text.of("airlock.leading-zeros"), Text.of("airlock.leading-zeros-fix"))
    if all(isinstance(cell, Decimal) for cell in values):
        return tuple(read)
    return spelled_alike([plain(cell) if isinstance(cell, Decimal) else cell for cell in read])


def _is_number(name: str) -> bool:
    try:
        return has_leading_zeros(name) or isinstance(cell_of(name), Decimal)
    except Unwritable:
        return False


def _refused(refused: Unwritable, column: str) -> Issue:
    row = refused.row
    place = Text.of("airlock.at-row", row=row, column=column) if row else Text.of("airlock.at-column", column=column)
    cells = {"cells": [f"row {row}, {column}"], "how_many": 1} if row else {}
    return fail(Text.of("airlock.cell-refused", place=place, why=refused.why), refused.fix, **cells)
