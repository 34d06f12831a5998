"""Read a workbook (xlsx, xls, also one named .csv): every sheet that has a header of its table.

``processes/workbook_process.py`` reads the cells in a process of its own, with limits on memory and time.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Collection, Iterator
from itertools import chain, islice
from pathlib import Path
from typing import IO

import numpy as np
import pyarrow as pa

from credit.messages import Text
from privacy.files import header
from privacy.files.block import BLANK, OTHER_WORKSHEET, BadLine, Block, bad_file, no_rows, text_table
from privacy.files.filtering import without_others
from privacy.files.processes.workbook_process import LOCKED
from privacy.files.records import Width

MEGABYTES, SECONDS = 3072, 300  # that one workbook may take
ROWS = 50_000  # of a block
_SCRIPT = Path(__file__).parent / "processes" / "workbook_process.py"
Row = tuple[int, list[str]]


def workbook_blocks(path: Path, known: Collection[str]) -> Iterator[Block]:
    """The blocks of a workbook; the number of a row is that of its sheet. Raises OSError only."""
    command = [sys.executable, "-I", str(_SCRIPT), str(path.resolve()), str(MEGABYTES), str(SECONDS)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env={}) as process:
        assert process.stdout is not None
        reader = _Worksheets(process.stdout)
        try:
            has_blocks = False
            for block in reader.blocks(known):
                has_blocks = True
                yield block
        finally:
            process.stdout.close()
            code = process.wait()
    if code == LOCKED:
        yield bad_file("intake.reason.workbook-locked")
    elif code:
        yield bad_file("intake.reason.workbook-breaks-off" if has_blocks else "intake.reason.not-workbook")
    elif not has_blocks:
        yield no_rows([], {})


class _Worksheets:
    """The sheets as the other process prints them."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._next: str | None = None

    def blocks(self, known: Collection[str]) -> Iterator[Block]:
        """The blocks of all sheets. Where one sheet has a header, the rows of those without one are counted apart."""
        has_header, left = False, list[tuple[str, header.Header, list[Row], Iterator[Row]]]()
        others = 0
        for number, (name, rows) in enumerate(self._worksheets()):
            first = list(islice(rows, header.ROWS * 2))
            header_of = header.find([cells for _, cells in first], known)
            if header_of is None:
                continue
            part = name if number else ""
            if header_of.is_known:
                has_header = True
                yield from _blocks(part, header_of, first, rows)
            elif has_header or left:
                others += len(first) + sum(1 for _ in rows)
            else:  # it may be the only one: its rows are kept until another sheet has a header
                left.append((part, header_of, [*first, *rows], iter(())))
        for part, header_of, first, rows in left:
            if has_header:
                others += len(first)
            else:
                yield from _blocks(part, header_of, first, rows)
        if others:
            yield no_rows([], {OTHER_WORKSHEET: others})

    def _worksheets(self) -> Iterator[tuple[str, Iterator[Row]]]:
        line = self._stream.readline()
        while line:
            given = _parsed(line)
            if isinstance(given, dict):
                rows = self._rows()
                yield str(given["sheet"]), rows
                for _ in rows:
                    pass
                line = (self._next or "").encode()
            else:
                line = self._stream.readline()

    def _rows(self) -> Iterator[Row]:
        self._next = None
        for line in self._stream:
            given = _parsed(line)
            if isinstance(given, dict):
                self._next = line.decode()
                return
            if isinstance(given, list):
                yield int(given[0]), [str(cell) for cell in given[1]]


def _parsed(line: bytes) -> object:
    try:
        return json.loads(line)
    except ValueError:
        return None  # the process ended within a line


def _blocks(part: str, header_of: header.Header, first: list[Row], rest: Iterator[Row]) -> Iterator[Block]:
    width, others = Width(header_of.named, len(header_of.names)), dict(header_of.others)
    if header_of.data:
        numbered = (first[each] for each in header_of.data)
        bad_rows = (BadLine(row, header.HOLDS_DATA, json.dumps(cells, ensure_ascii=False)) for row, cells in numbered)
        yield Block(pa.table({}), np.zeros(0, np.int64), tuple(bad_rows), {}, part)
    rows = chain(first[header_of.records :], rest)
    last = first[header_of.records - 1][0]
    if last > header_of.records:  # rows without a value are not printed
        others[BLANK] = others.get(BLANK, 0) + last - header_of.records
    while chunk := list(islice(rows, ROWS)):
        good: list[list[str]] = []
        lines: list[int] = []
        bad: list[BadLine] = []
        for number, cells in chunk:
            blanks = number - last - 1
            if blanks > 0:
                others[BLANK] = others.get(BLANK, 0) + blanks
            last = number
            fitted = width.fitted(cells)
            if fitted is None:
                reason = Text.of("intake.reason.other-width", columns=len(cells), header=len(header_of.names))
                bad.append(BadLine(number, reason, json.dumps(cells, ensure_ascii=False)))
            else:
                good.append(fitted)
                lines.append(number)
        table, numbers, more = without_others(
            text_table(header_of.names, good), np.array(lines, np.int64), sorted(header_of.unnamed)
        )
        for kind, count in more.items():
            others[kind] = others.get(kind, 0) + count
        yield Block(table, numbers, tuple(bad), others, part)
        others = {}
    if others:
        yield Block(text_table(header_of.names, []), np.zeros(0, np.int64), (), others, part)
