"""Tables inside a text (文中表格): with bars as in Markdown, or printed with tabs, commas or blanks."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from lab.airlock.grid import number_of
from lab.airlock.kinds.texts.spelling import prose_line

_SEPARATOR = re.compile(r"\s*\|?\s*:?-{3,}:?\s*(\|\s*:?-{3,}:?\s*)*\|?\s*")
_CELLS = (re.compile(r"\t+"), re.compile(r" {2,}"), re.compile(r"\s*[;；]\s*"), re.compile(r"\s*,\s+|,(?!\d{3}\b)"))
_WORDS = re.compile(r"\s+")
ROWS_AT_LEAST = 3  # consecutive rows that make a printed table
_PLAIN_NUMBER = re.compile(r"([+-]?)(\d{1,3}(?:,\d{3})+|\d+)(\.\d*)?(%?)")


@dataclass(frozen=True, slots=True)
class TableRows:
    """The rows of a table in one spelling, the header first, and how many lines of the text they took."""

    rows: tuple[tuple[str, ...], ...]
    read: int

    def written(self) -> tuple[str, ...]:
        """The lines of the table with bars."""
        header, *rows = (f"| {' | '.join(row)} |" for row in self.rows)
        return (header, "|" + "---|" * len(self.rows[0]), *rows)


def piped_table(lines: list[str], at: int) -> TableRows | None:
    """The table with bars that begins at a line: its header, a line of dashes, and its rows."""
    if "|" not in lines[at] or at + 1 >= len(lines) or not _SEPARATOR.fullmatch(lines[at + 1]) or "|" not in lines[at]:
        return None
    end = at + 2
    while end < len(lines) and "|" in lines[end] and lines[end].strip():
        end += 1
    rows = [_piped_cells(lines[n]) for n in (at, *range(at + 2, end))]
    return _table(rows, end - at) if len(rows[0]) > 0 else None


def printed_table(lines: list[str], at: int, ends: Callable[[str], bool]) -> TableRows | None:
    """The table that is printed from a line on, where at least :data:`ROWS_AT_LEAST` rows have the same cells.

    ``ends`` is True for a line that cannot belong to it, as an item.
    """
    end = at
    while end < len(lines) and lines[end].strip() and not ends(lines[end]) and "|" not in lines[end]:
        end += 1
    block = lines[at:end]
    if len(block) < ROWS_AT_LEAST:
        return None
    tables = [_split(block, delimiter, numeric_share=0.5) for delimiter in _CELLS]
    tables += [_split(block, _WORDS, numeric_share=1.0), _one_column(block)]
    return max((each for each in tables if each is not None), key=lambda each: each.read, default=None)


def _split(block: list[str], delimiter: re.Pattern[str], numeric_share: float) -> TableRows | None:
    """The longest table at the beginning of a block; its header may lack the name of the first column."""
    cells = [list(delimiter.split(line.strip())) for line in block]
    width = len(cells[1])
    if width < 2 or len(cells[0]) not in (width, width - 1):
        return None
    rows = 1
    while rows < len(cells) and len(cells[rows]) == width:
        rows += 1
    body = cells[1:rows]
    numbers = sum(any(number_of(cell) is not None for cell in row) for row in body)
    in_last = sum(number_of(row[-1]) is not None for row in body)
    if rows < ROWS_AT_LEAST or numbers < numeric_share * len(body) or (delimiter is _WORDS and in_last < len(body)):
        return None
    header = ["row"] * (width - len(cells[0])) + cells[0]
    if any(number_of(cell) is not None for cell in header):
        return _table([[f"column {n + 1}" for n in range(width)], *cells[:rows]], rows)
    return _table([header, *body], rows)


def _one_column(block: list[str]) -> TableRows | None:
    """Numbers below one another are a table of one column."""
    count = 0
    while count < len(block) and number_of(block[count].strip(" ,;[](){}")) is not None:
        count += 1
    rows = [[line.strip(" ,;[](){}")] for line in block[:count]]
    return _table([["column 1"], *rows], count) if count >= ROWS_AT_LEAST else None


def _piped_cells(line: str) -> list[str]:
    return line.strip().removeprefix("|").removesuffix("|").split("|")


def _table(rows: list[list[str]], read: int) -> TableRows:
    width = max(map(len, rows))
    filled = [tuple(_cell(cell) for cell in (*row, *[""] * (width - len(row)))) for row in rows]
    return TableRows(tuple(filled), read)


def _cell(text: str) -> str:
    """A cell in one spelling: a number without separators of thousands, a plus sign and zeros at its end."""
    cell = prose_line(text).replace("|", "/")
    match = _PLAIN_NUMBER.fullmatch(cell)
    if match is None:
        return cell
    whole, part = match[2].replace(",", "").lstrip("0") or "0", (match[3] or "").rstrip("0")
    sign = "-" if match[1] == "-" and (whole != "0" or part.strip(".")) else ""
    return f"{sign}{whole}{part if part != '.' else ''}{match[4]}"
