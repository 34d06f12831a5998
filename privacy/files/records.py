"""The grammar of delimited lines (RFC 4180): which physical lines form a row, and which cells it has.

The parser is that of Python's ``csv``, strict. What it refuses ends where the line ends, so that one wrong quotation
mark costs one row:

- a cell that begins with a quotation mark ends at the next single one, before a separator or the end of the line;
- a quotation mark within a cell that does not begin with one is text;
- a record of several lines is one only when it has the header's width, and when its lines are not rows by themselves.

A carriage return that ends no line and a zero byte are read as blanks. The work is linear in the length of the text: a
line is the first of at most one attempt, and an attempt ends at the next line that has a quotation mark out of place.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from credit.messages import Text
from privacy.files.filtering import is_note

UNCLOSED = Text.of("intake.reason.unclosed-quote")
AFTER_QUOTE = Text.of("intake.reason.text-after-quote")
TOO_LONG = Text.of("intake.reason.cell-too-long")
LONGEST = csv.field_size_limit()  # characters of a cell
_SUSPICIOUS = 4  # columns from which a line of the header's width is taken for a row of its own


@dataclass(frozen=True, slots=True)
class Width:
    """The width of a header: ``named`` columns up to the last one with a name, ``total`` with those after it.

    A note or a total below the rows may be shorter; ``filtering.py`` takes it out afterwards.
    """

    named: int
    total: int

    def fitted(self, cells: list[str]) -> list[str] | None:
        """The cells as exactly ``total`` ones, or None: only cells without a value may be missing or too many."""
        if len(cells) == self.total:
            return cells
        if len(cells) < self.named and is_note(cells):
            return cells + [""] * (self.total - len(cells))
        if len(cells) < self.named or any(cell.strip() for cell in cells[self.total :]):
            return None
        return (cells + [""] * self.total)[: self.total]


@dataclass(slots=True)
class Records:
    """Rows with the number of their first line (0 for the first), lines that are no rows with the reason, blank lines.

    ``used`` is the number of lines that were read: what follows may continue in the next block.
    """

    rows: list[list[str]] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    bad: list[tuple[int, Text]] = field(default_factory=list)
    blanks: int = 0
    used: int = 0
    attempts: int = 0


def physical_lines(text: str) -> list[str]:
    """The lines of a text, each with its line feed; carriage returns and zero bytes as the grammar has them."""
    plain = text.replace("\r\n", "\n").replace("\r", " ").replace("\0", " ")
    return list(io.StringIO(plain, newline="\n"))


def split(lines: Sequence[str], delimiter: str, width: Width | None, *, last: bool) -> Records:
    """The records of physical lines. Without a width every record fits, and a blank line is one without a value."""
    records, at = Records(), 0
    lines = list(lines)
    while at < len(lines):
        at = _attempt(lines, at, delimiter, width, records, last=last)
        if at < 0:
            return records
    records.used = len(lines)
    return records


def _attempt(lines: list[str], at: int, delimiter: str, width: Width | None, records: Records, *, last: bool) -> int:
    """Read records from a line on, as far as all is well; where to go on, or -1 when the last one may continue."""
    rest: Any = iter(lines)
    rest.__setstate__(at)
    reader = csv.reader(rest, delimiter=delimiter, strict=True)
    begin, base = at, at
    records.attempts += 1
    try:
        for cells in reader:
            end = base + reader.line_num
            if end - begin > 1 and not _is_whole(lines[begin:end], cells, delimiter, width):
                records.bad.append((begin, UNCLOSED))
                return begin + 1
            if width and not any(cell.strip() for cell in cells):
                records.blanks += 1
            else:
                fitted = width.fitted(cells) if width else cells
                if fitted is None:
                    assert width is not None
                    reason = Text.of("intake.reason.other-width", columns=len(cells), header=width.total)
                    records.bad.append((begin, reason))
                else:
                    records.rows.append(fitted)
                    records.lines.append(begin)
            begin = end
    except csv.Error as error:
        read, ended = base + reader.line_num - begin, rest.__length_hint__() == 0
        if ended and "end of data" in str(error) and not last:
            records.used = begin
            return -1
        is_closed = read == 1 and "end of data" not in str(error)
        records.bad.append((begin, (TOO_LONG if "limit" in str(error) else AFTER_QUOTE) if is_closed else UNCLOSED))
        return begin + 1
    return len(lines)


def _is_whole(lines: list[str], cells: list[str], delimiter: str, width: Width | None) -> bool:
    """Whether a record of several lines is one: it has the width, and its lines are not rows by themselves."""
    if width is None:
        return True
    if width.fitted(cells) is None:
        return False
    if width.total < _SUSPICIOUS:
        return True
    as_rows = [line.count(delimiter) + 1 == width.total for line in lines]
    return not (as_rows[0] and any(as_rows[1:]))
