"""Files of all formats with rows that can be recognised, damaged at random: what a broken export or transfer leaves.

A row carries its own mark (``R000123``) as its document number. ``marks_in`` finds the marks that are still there to
be read in the bytes of a file, whatever the reader thinks of them.
"""

from __future__ import annotations

import csv
import io
import json
import random
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import pyarrow as pa
import pyarrow.parquet as pq
import xlsxwriter

HEAD = ("CODE", "DOCUMENT", "DAY", "FINE", "SEVERITY", "STATE", "NOTE")
MARK = re.compile(r"R\d{7}")
NOTES = ("", "好", "一行\n两行", 'a "b" c', "x,y", "a\rb", "e\u200bf", "0\x01", ";|\t", "合计", "'=1+1", "null")
_BREAKS = (b'"', b'",', b',"', b"\n", b"\r", b"\x00", b"\xff", b",,,,", b"\xef\xbb\xbf", b"\\", b"\t", b";", b'"x"x')
TEXTS = ("csv", "tab", "quoted", "gb18030", "utf16", "json")
BINARIES = ("xlsx", "parquet")
ENDINGS = {"json": "jsonl", "xlsx": "xlsx", "parquet": "parquet"}


@dataclass(frozen=True, slots=True)
class DamagedFile:
    """One file: its name, its bytes, and the marks of its rows that a text search finds in it."""

    name: str
    content: bytes
    marks: frozenset[str]
    is_binary: bool


def damaged_file(random_source: random.Random, number: int, code: Callable[[int], str], rows: int = 6) -> DamagedFile:
    """A file of a random format with ``rows`` rows and up to three damages."""
    form = random_source.choice((*TEXTS, *TEXTS, *BINARIES))
    lines = [_row(random_source, number * 100 + at, code) for at in range(rows)]
    content = _WRITERS[form](lines)
    for _ in range(random_source.randrange(4)):
        content = _damaged(random_source, content)
    name = f"administrative_penalty_{number}.{ENDINGS.get(form, 'csv')}"
    return DamagedFile(name, content, marks_in(content, form), form in BINARIES)


def marks_in(content: bytes, form: str) -> frozenset[str]:
    """The marks that can be read in a file of text; none in a packed one.

    In GB18030 a damaged byte and the letter after it can be one character: there a line is read as what it is now.
    """
    if form in BINARIES:
        return frozenset()
    if form == "utf16":
        return frozenset(MARK.findall(content.decode("utf-16", "ignore")))
    return frozenset(mark for line in content.split(b"\n") for mark in MARK.findall(_text(line, form)))


def _text(line: bytes, form: str) -> str:
    if form == "gb18030":
        try:
            return line.decode("gb18030")
        except UnicodeDecodeError:
            pass
    return line.decode("latin-1")


def _row(random_source: random.Random, number: int, code: Callable[[int], str]) -> list[str]:
    fine = random_source.choice(("1", "0.5", "2元", "x", ""))
    day = random_source.choice(("2024-03-01", "2024/3/1", "2024年3月1日", "2030-01-01", "20240230", ""))
    note = random_source.choice(NOTES)
    return [code(random_source.randrange(12)), f"R{number:07d}", day, fine, "minor", "normal", note]


def _damaged(random_source: random.Random, content: bytes) -> bytes:
    if not content:
        return content
    at = random_source.randrange(len(content))
    kind = random_source.randrange(5)
    if kind == 0:
        return content[:at] + random_source.choice(_BREAKS) + content[at:]
    if kind == 1:
        return content[:at] + content[at + random_source.randrange(1, 9) :]
    if kind == 2:
        return content[:at] + bytes([random_source.randrange(256)]) + content[at + 1 :]
    if kind == 3:
        other = random_source.randrange(len(content))
        return content[:at] + content[other : other + 40] + content[at:]
    return content[:at]


def _csv(lines: list[list[str]], separator: str = ",", quoting: Literal[0, 1, 2, 3] = csv.QUOTE_MINIMAL) -> bytes:
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=separator, quoting=quoting, lineterminator="\r\n")
    writer.writerows([HEAD, *lines])
    return out.getvalue().encode()


def _json(lines: list[list[str]]) -> bytes:
    rows = (dict(zip(HEAD, line, strict=True)) for line in lines)
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()


def _xlsx(lines: list[list[str]]) -> bytes:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True, "strings_to_formulas": False}) as workbook:
        worksheet = workbook.add_worksheet()
        for number, line in enumerate([list(HEAD), *lines]):
            worksheet.write_row(number, 0, line)
    return out.getvalue()


def _parquet(lines: list[list[str]]) -> bytes:
    out = io.BytesIO()
    pq.write_table(pa.table(dict(zip(HEAD, map(list, zip(*lines, strict=True)), strict=True))), out)
    return out.getvalue()


_WRITERS: dict[str, Callable[[list[list[str]]], bytes]] = {
    "csv": _csv,
    "tab": lambda lines: _csv(lines, "\t"),
    "quoted": lambda lines: _csv(lines, quoting=csv.QUOTE_ALL),
    "gb18030": lambda lines: _csv(lines).decode().encode("gb18030"),
    "utf16": lambda lines: b"\xff\xfe" + _csv(lines).decode().encode("utf-16-le"),
    "json": _json,
    "xlsx": _xlsx,
    "parquet": _parquet,
}
