"""Read a file of delimited lines (CSV, tabs, semicolons) block by block.

A block without a quotation mark is read by PyArrow, another by the grammar of ``records.py``; without quotation marks
both are the same grammar, which a property test holds. Line numbers are those of an editor.
"""

from __future__ import annotations

import io
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.csv as pacsv

from privacy.files import header
from privacy.files.block import BLANK, LONGEST_LINE, BadLine, Block, bad_file, endless_line, no_rows, text_table
from privacy.files.encodings import NOT_TEXT_REASON, TextBytes, Utf8Lines, mostly_gb18030, to_utf8
from privacy.files.filtering import without_others
from privacy.files.records import LONGEST, Records, Width, physical_lines, split

DELIMITERS = (",", "\t", ";", "|")
HEAD = 64 << 10  # bytes in which the header is looked for


@dataclass(slots=True)
class _Source:
    """The rest of a file after its header, and what was heading in its head."""

    text: TextBytes
    waiting: io.BytesIO
    delimiter: str
    header: header.Header
    prefers_gb18030: bool
    bad: tuple[BadLine, ...] = ()

    def read(self, size: int) -> bytes:
        ready = self.waiting.read(size)
        return ready + self.text.read(size - len(ready)) if len(ready) < size else ready


def delimited_blocks(path: Path, known: Collection[str], size: int) -> Iterator[Block]:
    """The blocks of a file of about ``size`` bytes each; at least one, even of an empty file. Raises OSError only."""
    with path.open("rb") as stream:
        text = TextBytes(stream)
        head = _head(text)
        if not head.strip():
            yield no_rows([], {})
            return
        opened = _open(text, head, known)
        if opened is None:
            yield bad_file("intake.reason.no-header")
            return
        source, first = opened
        others, waiting, has_blocks = dict(source.header.others), b"", False
        if source.bad:
            yield Block(pa.table({}), np.zeros(0, np.int64), source.bad)
        while True:
            more = source.read(size)
            content = waiting + more
            if not content:
                break
            if len(content) > LONGEST_LINE + size:
                yield endless_line(first)
                return
            block, used, lines = _block(content, first, source, last=not more)
            if used or not more:
                merged = {kind: others.get(kind, 0) + block.others.get(kind, 0) for kind in {*others, *block.others}}
                yield Block(block.rows, block.lines, block.bad, merged)
                has_blocks, others = True, {}
            first, waiting = first + lines, content[used:]
            if not more:
                break
        if not has_blocks:
            yield no_rows(source.header.names, others)


def _head(text: TextBytes) -> bytes:
    head = b""
    while len(head) < HEAD and (more := text.read(HEAD)):
        head += more
    return head


def _open(text: TextBytes, head: bytes, known: Collection[str]) -> tuple[_Source, int] | None:
    """What the head says, and the number of the first line after the header; None when no header is there."""
    prefers = not text.is_converted and mostly_gb18030(head)
    utf8 = to_utf8(head, prefers_gb18030=prefers, is_converted=text.is_converted)
    raw = [line + b"\n" for line in head.split(b"\n")]
    lines = physical_lines(utf8.content.decode("utf-8"))[: header.ROWS * 2]
    tried = {delimiter: split(lines, delimiter, None, last=True) for delimiter in DELIMITERS}
    best = max(DELIMITERS, key=lambda delimiter: _fit(tried[delimiter], known))
    records = _with_bad(tried[best], lines)
    begins = [line for line, _ in records]
    damaged = {line for line, _ in tried[best].bad if line in utf8.unreadable or _holds_data(lines[line], best)}
    heading = header.find(
        [cells for _, cells in records], known, {at for at, line in enumerate(begins) if line in damaged}
    )
    if heading is None:
        return None
    first = begins[heading.records] if heading.records < len(begins) else len(lines)
    used = sum(map(len, raw[:first]))
    edges, originals = [*begins, len(lines)], head.split(b"\n")
    data = ((edges[each], originals[edges[each] : edges[each + 1]]) for each in heading.data)
    bad = tuple(
        BadLine(
            line + 1,
            NOT_TEXT_REASON if line in utf8.unreadable else header.HOLDS_DATA,
            _text_or_bytes(b"\n".join(some)),
        )
        for line, some in data
    )
    return _Source(text, io.BytesIO(head[used:]), best, heading, prefers, bad), first + 1


def _fit(records: Records, known: Collection[str]) -> tuple[int, int]:
    """How well a delimiter fits: known names in the best header, then columns of the widest of the first rows."""
    return header.score(records.rows, known), max((len(cells) for cells in records.rows[:3]), default=0)


def _holds_data(line: str, delimiter: str) -> bool:
    """Whether a line that is no record has what a row has, between separators that may be no separators."""
    return header.holds_data(line.split(delimiter))


def _with_bad(records: Records, lines: list[str]) -> list[tuple[int, list[str]]]:
    """The records in their order; a line that is none is there as one cell."""
    bad = [(line, [lines[line]]) for line, _ in records.bad]
    return sorted([*zip(records.lines, records.rows, strict=True), *bad], key=lambda each: each[0])


def _block(content: bytes, first: int, source: _Source, *, last: bool) -> tuple[Block, int, int]:
    """The rows in ``content``, and the numbers of bytes and of lines that they use; the rest is for the next block."""
    if last and not content.endswith(b"\n"):
        content += b"\n"
    end = content.rfind(b"\n") + 1
    raw = content[:end]
    if not end:
        return Block(text_table(source.header.names, []), np.zeros(0, np.int64)), 0, 0
    utf8 = to_utf8(raw, prefers_gb18030=source.prefers_gb18030, is_converted=source.text.is_converted)
    if _is_plain(utf8.content):
        block, used, lines = _plain_block(utf8, first, source)
    else:
        block, lines = _split_block(utf8, raw, first, source, last=last)
        used = _offset(raw, lines)
    rows, numbers, others = without_others(block.rows, block.lines, sorted(source.header.unnamed))
    for kind, number in block.others.items():
        others[kind] = others.get(kind, 0) + number
    return Block(rows, numbers, block.bad, others), (end if used is None else used), lines


def _is_plain(content: bytes) -> bool:
    """Whether each line is a row by itself and each separator separates."""
    return b'"' not in content and b"\0" not in content and content.count(b"\r") == content.count(b"\r\n")


def _plain_block(utf8: Utf8Lines, first: int, source: _Source) -> tuple[Block, None, int]:
    """A block without quotation marks: lines of the header's width go to PyArrow, the others are looked at apart."""
    content, names = utf8.content, source.header.names
    data = np.frombuffer(content, np.uint8)
    ends = np.flatnonzero(data == 10)
    starts = np.concatenate(([0], ends[:-1] + 1))
    length = ends - starts
    blank = (length == 0) | ((length == 1) & (data[starts] == 13))
    separators = np.flatnonzero(data == ord(source.delimiter))
    width = np.diff(np.searchsorted(separators, np.append(starts, len(data))))
    fits = (width == len(names) - 1) & ~blank & (length <= LONGEST)
    table, lines = _by_arrow(content, starts, ends, fits, source), np.flatnonzero(fits)
    odd = np.flatnonzero(~fits & ~blank)
    texts = [content[starts[line] : ends[line] + 1].decode("utf-8") for line in odd]
    records = split(physical_lines("".join(texts)), source.delimiter, _width(source), last=True)
    bad = tuple(BadLine(first + int(odd[line]), reason, texts[line].rstrip("\r\n")) for line, reason in records.bad)
    if records.rows:
        table = pa.concat_tables([table, text_table(names, records.rows)])
        lines = np.concatenate((lines, odd[records.lines]))
        order = np.argsort(lines, kind="stable")
        table, lines = table.take(pa.array(order)), lines[order]
    blanks = int(blank.sum()) + records.blanks
    return Block(table, lines + first, bad, {BLANK: blanks} if blanks else {}), None, len(ends)


def _by_arrow(
    content: bytes,
    starts: npt.NDArray[np.intp],
    ends: npt.NDArray[np.intp],
    fits: npt.NDArray[np.bool_],
    source: _Source,
) -> pa.Table:
    names = source.header.names
    if not fits.any():
        return text_table(names, [])
    if not fits.all():
        edges = np.flatnonzero(np.diff(np.concatenate(([0], fits.astype(np.int8), [0]))))
        runs = zip(edges[::2], edges[1::2], strict=True)
        content = b"".join(content[starts[begin] : ends[end - 1] + 1] for begin, end in runs)
    return pacsv.read_csv(
        pa.BufferReader(content),
        read_options=pacsv.ReadOptions(column_names=names, block_size=8 << 20),
        parse_options=pacsv.ParseOptions(delimiter=source.delimiter, quote_char=False, ignore_empty_lines=False),
        convert_options=pacsv.ConvertOptions(column_types={n: pa.string() for n in names}, strings_can_be_null=False),
    )


def _split_block(utf8: Utf8Lines, raw: bytes, first: int, source: _Source, *, last: bool) -> tuple[Block, int]:
    """A block with quotation marks, or with lines in no known encoding."""
    lines = physical_lines(utf8.content.decode("utf-8"))
    records = split(lines, source.delimiter, _width(source), last=last)
    bad: list[BadLine] = []
    if records.bad:
        originals = raw.split(b"\n")
        for line, reason in records.bad:
            unreadable = line in utf8.unreadable
            content = originals[line].hex() if unreadable else _content(originals[line], lines[line])
            bad.append(BadLine(first + line, NOT_TEXT_REASON if unreadable else reason, content))
    table = text_table(source.header.names, records.rows)
    others = {BLANK: records.blanks} if records.blanks else {}
    return Block(table, np.array(records.lines, np.int64) + first, tuple(bad), others), records.used


def _width(source: _Source) -> Width:
    return Width(source.header.named, len(source.header.names))


def _content(raw: bytes, line: str) -> str:
    """A line as the file has it; one of another encoding as it was read."""
    try:
        return raw.decode("utf-8").rstrip("\r")
    except UnicodeDecodeError:
        return line.rstrip("\n")


def _text_or_bytes(raw: bytes) -> str:
    try:
        return raw.decode("utf-8").rstrip("\r")
    except UnicodeDecodeError:
        return raw.hex()


def _offset(content: bytes, lines: int) -> int:
    """The number of bytes of the first lines."""
    return int(np.flatnonzero(np.frombuffer(content, np.uint8) == 10)[lines - 1]) + 1 if lines else 0
