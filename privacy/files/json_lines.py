"""Read a file of JSON: one object a line, or one array of objects."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from credit.messages import Text
from privacy.files.block import BLANK, LONGEST_LINE, BadLine, Block, bad_file, endless_line, no_rows, text_table
from privacy.files.encodings import NOT_TEXT_REASON, TextBytes, mostly_gb18030, to_utf8

LARGEST_ARRAY = 256 << 20  # bytes of a file that is one array, which is read at once
NONE: Mapping[int, bytes] = {}
_DEEP = (RecursionError, ValueError)


class _Repeated(ValueError):
    """A name stands twice in one object."""


def json_blocks(path: Path, size: int) -> Iterator[Block]:
    """The blocks of a file of JSON. Raises OSError only."""
    with path.open("rb") as stream:
        text = TextBytes(stream)
        head = text.read(size)
        prefers = not text.is_converted and mostly_gb18030(head)
        if head.lstrip().startswith(b"["):
            yield from _array(head, text)
            return
        first, waiting, has_blocks = 1, head, False
        while waiting:
            more = text.read(size)
            end = waiting.rfind(b"\n") + 1 if more else len(waiting)
            if end:
                utf8 = to_utf8(waiting[:end], prefers_gb18030=prefers, is_converted=text.is_converted)
                lines = utf8.content.split(b"\n")
                lines = lines[:-1] if not lines[-1] else lines
                yield _block([(first + at, line) for at, line in enumerate(lines)], utf8.unreadable, first)
                first, has_blocks = first + len(lines), True
            waiting = waiting[end:] + more
            if len(waiting) > LONGEST_LINE + size:
                yield endless_line(first)
                return
        if not has_blocks:
            yield no_rows([], {})


def _array(head: bytes, text: TextBytes) -> Iterator[Block]:
    content = bytearray(head)
    while more := text.read(1 << 20):
        content += more
        if len(content) > LARGEST_ARRAY:
            yield bad_file("intake.reason.array-too-large")
            return
    prefers = not text.is_converted and mostly_gb18030(bytes(content))
    utf8 = to_utf8(bytes(content), prefers_gb18030=prefers, is_converted=text.is_converted)
    lines = utf8.content.split(b"\n")
    for number, line in utf8.unreadable.items():  # within an array a line is no row: its bytes become visible text
        lines[number] = line.decode("utf-8", "backslashreplace").encode()
    yield _block(list(_elements(b"\n".join(lines).decode("utf-8"))))


def _elements(text: str) -> Iterator[tuple[int, bytes]]:
    """The elements of an array with their numbers, as they are written; where one is none, the rest is one element."""
    decoder, at, number = json.JSONDecoder(), text.index("[") + 1, 1
    while True:
        while at < len(text) and text[at] in " \t\r\n,":
            at += 1
        if at >= len(text) or (text[at] == "]" and not text[at + 1 :].strip()):
            return
        try:
            _, end = decoder.raw_decode(text, at)
        except _DEEP:
            end = len(text)
        yield number, text[at:end].encode()
        at, number = end, number + 1


def _block(lines: list[tuple[int, bytes]], unreadable: Mapping[int, bytes] = NONE, first: int = 0) -> Block:
    """The rows of lines; the columns are the names of all objects, in the order in which they first occur.

    ``unreadable`` has the bytes of lines in no known encoding, by their place from the line ``first`` on.
    """
    rows: list[dict[str, str]] = []
    numbers: list[int] = []
    bad: list[BadLine] = []
    blanks = 0
    for number, line in lines:
        if not line.strip():
            blanks += 1
            continue
        if number - first in unreadable:
            bad.append(BadLine(number, NOT_TEXT_REASON, unreadable[number - first].hex()))
            continue
        try:
            row = _row(line)
        except _Refused as refused:
            bad.append(BadLine(number, refused.reason, line.decode("utf-8", "backslashreplace")))
            continue
        rows.append(row)
        numbers.append(number)
    names = list(dict.fromkeys(name for row in rows for name in row))
    table = text_table(names, [[row.get(name, "") for name in names] for row in rows])
    if rows and not names:  # objects without a name are no rows: a table without columns holds none
        bad += [BadLine(number, Text.of("intake.reason.not-json-object"), "{}") for number in numbers]
        numbers = []
    others = {BLANK: blanks} if blanks else {}
    return Block(table, np.array(numbers, np.int64), tuple(bad), others)


class _Refused(Exception):
    """A line that is no row, with the reason."""

    def __init__(self, id: str, **params: str) -> None:
        self.reason = Text.of(id, **params)


def _row(line: bytes) -> dict[str, str]:
    """Name -> value as text. Numbers stay as they are written."""
    try:
        given = json.loads(
            line.decode("utf-8"), parse_float=str, parse_int=str, parse_constant=_constant, object_pairs_hook=_pairs
        )
    except _Repeated as error:
        raise _Refused("intake.reason.name-twice") from error
    except _DEEP as error:
        raise _Refused("intake.reason.not-json") from error
    if not isinstance(given, dict):
        raise _Refused("intake.reason.not-json-object")
    if any(isinstance(value, dict | list) for value in given.values()):
        raise _Refused("intake.reason.nested")
    return {" ".join(name.split()) or "column": _text(value) for name, value in given.items()}


def _text(value: Any) -> str:
    if value is None:
        return ""
    text = ("true" if value else "false") if isinstance(value, bool) else str(value)
    return text.encode("utf-8", "replace").decode("utf-8")  # half of a surrogate pair is no character


def _constant(name: str) -> str:
    return name  # NaN and Infinity: a value that no number field takes


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({" ".join(name.split()) for name, _ in pairs}) != len(pairs):
        raise _Repeated
    return dict(pairs)
