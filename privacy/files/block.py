"""What reading a file gives, block by block: rows, lines that should be rows and cannot be read, and what is no row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from credit.messages import Text

TITLE, SECOND_HEADER, TOTAL, NOTE, BLANK, OTHER_WORKSHEET = (
    "title", "second header", "total", "note", "blank", "other sheet",
)  # fmt: skip
"""Kinds of lines that are no rows. The header itself is not counted."""
LONGEST_LINE = 256 << 20  # bytes that wait for the end of a line or a quotation, of which a sparse file has terabytes


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line that cannot be read as a row: its number, the reason, and its content (text, or hexadecimal bytes)."""

    line: int
    reason: Text
    content: str


@dataclass(frozen=True, slots=True)
class Block:
    """Rows as text columns named by the header, and their line numbers (int64).

    ``bad`` are the lines that cannot be read as rows, ``others`` counts the lines that are none by kind, and ``part``
    names the sheet of a workbook (empty for its first one).
    """

    rows: pa.Table
    lines: npt.NDArray[np.int64]
    bad: tuple[BadLine, ...] = ()
    others: Mapping[str, int] = field(default_factory=dict)
    part: str = ""


def endless_line(line: int) -> Block:
    """The block of a line that goes on for more than :data:`LONGEST_LINE` bytes; nothing after it is read."""
    reason = Text.of("intake.reason.endless-line", mebibytes=LONGEST_LINE >> 20)
    return Block(pa.table({}), np.zeros(0, np.int64), (BadLine(line, reason, ""),))


def bad_file(id: str, **params: str | int) -> Block:
    """The block of a file that cannot be read at all; ``id`` is the message of the reason."""
    return Block(pa.table({}), np.zeros(0, np.int64), (BadLine(0, Text.of(id, **params), ""),))


def no_rows(names: list[str], others: Mapping[str, int]) -> Block:
    """The block of a file with a header and without a row."""
    return Block(pa.table({name: pa.array([], pa.string()) for name in names}), np.zeros(0, np.int64), (), others)


def text_table(names: list[str], rows: list[list[str]]) -> pa.Table:
    """Rows of ``len(names)`` cells as a table of text columns."""
    columns = zip(*rows, strict=True) if rows else ((),) * len(names)
    return pa.Table.from_arrays([pa.array(column, pa.string()) for column in columns], names=names)
