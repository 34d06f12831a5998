"""Read raw files (.csv, .parquet) as rows of text, block by block; a bad line never stops the reading.

Every value is read as text, which ``row_checks.py`` converts. A line that is not UTF-8, that has a different number of
columns from the header, or that opens a quotation mark without closing it, is returned separately with its bytes and
the reason, and the rest of the file is read. Line numbers are those of an editor (Parquet: 1 for the first row).
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

BLOCK = 32 << 20  # bytes of a CSV file per block
LONGEST = 50  # lines that one quoted value may span; a longer one is an unclosed quotation mark
ENDINGS = (".csv", ".parquet")


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line that is not a row: its number, the reason, and its content (text, or hexadecimal bytes)."""

    line: int
    reason: str
    content: str


@dataclass(frozen=True, slots=True)
class Block:
    """Rows as text columns named by the header, their line numbers (int64), and the lines that are not rows."""

    rows: pa.Table
    lines: npt.NDArray[np.int64]
    bad: tuple[BadLine, ...]


def blocks(path: Path, size: int = BLOCK) -> Iterator[Block]:
    """The blocks of a file of ``size`` bytes each; at least one, even of an empty file. Raises OSError only."""
    if path.suffix.lower() == ".parquet":
        yield from _parquet(path)
    else:
        yield from _csv(path, size)


def _parquet(path: Path) -> Iterator[Block]:
    try:
        with pq.ParquetFile(path) as file:
            first, empty = 1, file.schema_arrow.empty_table()
            for batch in file.iter_batches(batch_size=500_000):
                table = _as_text(pa.Table.from_batches([batch]))
                yield Block(table, np.arange(first, first + len(table), dtype=np.int64), ())
                first += len(table)
            if first == 1:
                yield Block(_as_text(empty), np.zeros(0, np.int64), ())
    except pa.ArrowException:
        yield _nothing("this is not a Parquet file that can be read")


def _as_text(table: pa.Table) -> pa.Table:
    columns = [pc.cast(column, pa.string(), safe=False) for column in table.columns]
    return pa.Table.from_arrays(columns, names=[name.strip() for name in table.column_names])


def _nothing(reason: str) -> Block:
    return Block(pa.table({}), np.zeros(0, np.int64), (BadLine(0, reason, ""),))


def _csv(path: Path, size: int) -> Iterator[Block]:
    with path.open("rb") as stream:
        head = stream.readline().removeprefix(b"\xef\xbb\xbf")
        names = _header(head)
        if not names:
            if head.strip() or stream.read(1):
                yield _nothing("its first line names no columns, or one twice")
            else:
                yield Block(pa.table({}), np.zeros(0, np.int64), ())
            return
        first, waiting, has_blocks = 2, b"", False
        while True:
            more = stream.read(size)
            content = waiting + more
            if not content:
                break
            block, used, lines = _cut(content, first, names, last=not more)
            yield block
            has_blocks, first, waiting = True, first + lines, content[used:]
            if not more:
                break
        if not has_blocks:
            yield Block(pa.table({name: pa.array([], pa.string()) for name in names}), np.zeros(0, np.int64), ())


def _header(line: bytes) -> list[str]:
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError:
        text = line.decode("gb18030", errors="replace")
    try:
        names = [name.strip() for name in next(csv.reader([text.strip()]), [])]
    except csv.Error:
        return []
    return names if len(set(names)) == len(names) and all(names) else []


def _cut(content: bytes, first: int, names: list[str], *, last: bool) -> tuple[Block, int, int]:
    """The rows in ``content``, and the numbers of bytes and of lines that they use.

    The rest belongs to the next block.
    """
    if last and not content.endswith(b"\n"):
        content += b"\n"
    data = np.frombuffer(content, np.uint8)
    ends = np.flatnonzero(data == 10)
    if not len(ends):
        return Block(_table(b"", names, False), np.zeros(0, np.int64), ()), 0, 0
    starts = np.concatenate(([0], ends[:-1] + 1))
    quotes = np.searchsorted(np.flatnonzero(data == 34), np.stack((starts, ends)))
    odd = np.flatnonzero((quotes[1] - quotes[0]) % 2)
    joined, stray = _pair(odd, len(ends), data, starts, ends, len(names))
    count = len(ends)
    if not last and stray and stray[-1] == odd[-1] and count - stray[-1] <= LONGEST:
        count = stray.pop()  # a value may continue in the next block: its line is left for it
    if count == 0:
        return Block(_table(b"", names, False), np.zeros(0, np.int64), ()), 0, 0
    bad = {int(line): "a quotation mark is opened and never closed" for line in stray}
    rows_from = np.ones(count, bool)  # True where a row begins
    for begin, end in joined:
        rows_from[begin + 1 : end + 1] = False
    begins = np.flatnonzero(rows_from)
    finish = np.concatenate((begins[1:] - 1, [count - 1])) if len(begins) else begins
    spans = np.stack((starts[begins], ends[finish]))
    length = spans[1] - spans[0]
    empty = (length == 0) | ((length == 1) & (data[spans[0]] == 13))
    width = _separators(data, spans)
    ragged = (width != len(names) - 1) & ~empty
    for row in np.flatnonzero(ragged):
        why = f"the row has {int(width[row]) + 1} columns and the header {len(names)}"
        bad.setdefault(int(begins[row]), why)
    text = content[: int(ends[count - 1]) + 1]
    if not _is_utf8(text):
        for row in np.flatnonzero(~empty):
            piece = content[int(spans[0][row]) : int(spans[1][row])]
            if not _is_utf8(piece):
                bad[int(begins[row])] = _other_encoding(piece)
    is_bad = np.isin(begins, np.fromiter(bad, np.int64, len(bad)))
    lines_bad = tuple(
        BadLine(first + int(begins[row]), bad[int(begins[row])], _content(content, spans, int(row)))
        for row in np.flatnonzero(is_bad & ~empty)
    )
    good = ~is_bad & ~empty
    if not good.all():
        text = b"".join(content[int(spans[0][r]) : int(spans[1][r]) + 1] for r in np.flatnonzero(good))
    table = _table(text, names, multiline=bool(joined))
    return Block(table, begins[good].astype(np.int64) + first, lines_bad), int(ends[count - 1]) + 1, count


def _pair(
    odd: npt.NDArray[np.intp],
    count: int,
    data: npt.NDArray[np.uint8],
    starts: npt.NDArray[np.intp],
    ends: npt.NDArray[np.intp],
    columns: int,
) -> tuple[list[tuple[int, int]], list[int]]:
    """Lines with an odd number of quotation marks: pairs that form one row of the right width, and unpaired lines."""
    joined, stray, at = [], [], 0
    while at < len(odd):
        begin = int(odd[at])
        end = int(odd[at + 1]) if at + 1 < len(odd) else count
        whole = end < count and end - begin <= LONGEST
        if whole and _separators(data, np.array([[starts[begin]], [ends[end]]]))[0] == columns - 1:
            joined.append((begin, end))
            at += 2
        else:
            stray.append(begin)
            at += 1
    return joined, stray


def _separators(data: npt.NDArray[np.uint8], spans: npt.NDArray[np.intp]) -> npt.NDArray[np.intp]:
    """The number of commas outside quotation marks in each span."""
    commas, marks = np.flatnonzero(data == 44), np.flatnonzero(data == 34)
    if len(marks):
        row = np.searchsorted(spans[0], commas, side="right") - 1
        before = np.searchsorted(marks, commas) - np.searchsorted(marks, spans[0][np.maximum(row, 0)])
        commas = commas[before % 2 == 0]
    positions: npt.NDArray[np.intp] = np.searchsorted(commas, spans)
    width: npt.NDArray[np.intp] = positions[1] - positions[0]
    return width


def _is_utf8(content: bytes) -> bool:
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _other_encoding(content: bytes) -> str:
    try:
        content.decode("gb18030")
    except UnicodeDecodeError:
        return "not UTF-8, and not GB18030 either"
    return "not UTF-8, reads as GB18030: give the file again in UTF-8"


def _content(content: bytes, spans: npt.NDArray[np.intp], row: int) -> str:
    piece = content[int(spans[0][row]) : int(spans[1][row])].rstrip(b"\r")
    return piece.decode("utf-8") if _is_utf8(piece) else piece.hex()


def _table(content: bytes, names: list[str], multiline: bool) -> pa.Table:
    if not content:
        return pa.table({name: pa.array([], pa.string()) for name in names})
    size = max(len(content), 1 << 16) if multiline else 8 << 20
    return pacsv.read_csv(
        pa.BufferReader(content),
        read_options=pacsv.ReadOptions(column_names=names, block_size=size),
        parse_options=pacsv.ParseOptions(newlines_in_values=multiline),
        convert_options=pacsv.ConvertOptions(column_types={n: pa.string() for n in names}, strings_can_be_null=False),
    )
