"""Reading the tables that are written out inside a text (文中表格)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lab.airlock.grid import Grid, number_of


def tables_in_text(text: str, minimum: int) -> Iterator[Grid]:
    """The tables inside a text: at least ``minimum`` consecutive lines with equally many cells and a number in each."""
    block: dict[str, list[list[str]]] = {}  # rows by each delimiter that splits all lines into equally many cells
    start, heading, before = 0, "", ""
    for number, line in enumerate([*text.splitlines(), ""], start=1):
        cells = _cells(line)
        kept = {by: [*rows, cells[by]] for by, rows in block.items() if by in cells and len(cells[by]) == len(rows[0])}
        if kept:
            block = kept
            continue
        yield from _block_as_grid(block, heading, start, minimum)
        block, start, heading = {by: [each] for by, each in cells.items()}, number, before
        if not _RULE.fullmatch(line):
            before = line


def _block_as_grid(block: dict[str, list[list[str]]], heading: str, start: int, minimum: int) -> Iterator[Grid]:
    rows = next(iter(block.values()), [])
    if len(rows) >= minimum:
        yield Grid.of(_header(heading, len(rows[0])), rows, f"lines {start} to {start + len(rows) - 1}")


def _header(line: str, width: int) -> list[str]:
    """The column names in the line above a block when their number fits; the index may lack a name."""
    for delimiter in _CELLS:
        names = re.split(delimiter, _strip_row_marks(line))
        if len(names) in (width, width - 1) and len(names) > 1:
            return [*["row"][: width - len(names)], *names]
    return [f"column {n + 1}" for n in range(width)]


_CELLS = (r"\s*\|\s*", r"\t", r"\s*;\s*", r"\s*,\s*", r"\s{2,}", r"\s+")
_RULE = re.compile(r"[\s|:+=-]+")


def _strip_row_marks(line: str) -> str:
    """A line without bullets, brackets and outer bars around a row."""
    return re.sub(r"^[\s#|>*\[({]+|[\s|\])},;]+$", "", line)


def _cells(line: str) -> dict[str, list[str]]:
    """The cells of a line that may be a table row, by each delimiter that fits it."""
    bare, cells_by_delimiter = _strip_row_marks(line), {}
    for delimiter in _CELLS:
        cells = [cell.strip().strip("\"'") for cell in re.split(delimiter, bare)]
        numbers = [number_of(cell) is not None for cell in cells]
        words = delimiter == r"\s+" and not (
            numbers[-1] or 2 * sum(numbers) >= len(cells)
        )  # prose that contains a number
        if len(cells) > 1 and any(numbers) and not words:
            cells_by_delimiter[delimiter] = cells
    return cells_by_delimiter or ({"": [bare]} if number_of(bare) is not None else {})
