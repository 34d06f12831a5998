"""Read a raw file as rows of text, block by block: its format follows from its content, not from its name.

Every value is read as text, which the checks of the intake convert. A line that cannot be read as a row is given
separately with its content and the reason, and the rest of the file is read.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path

from privacy.files.block import Block, bad_file
from privacy.files.delimited import delimited_blocks
from privacy.files.json_lines import json_blocks
from privacy.files.parquet import parquet_blocks
from privacy.files.workbook import workbook_blocks

BLOCK = 32 << 20  # bytes of a text file per block
ENDINGS = (".csv", ".tsv", ".tab", ".xlsx", ".xlsm", ".xlsb", ".xls", ".jsonl", ".ndjson", ".parquet")
NAMED_ENDINGS = (".txt", ".dat", ".json")  # of files that are read only when their name is that of a table
_JSON = (".json", ".jsonl", ".ndjson")
_WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")
_MARKUP = (b"<!doctype", b"<html", b"<?xml", b"<table", b"<meta", b"<head")
_OTHERS = (b"%PDF", b"\x1f\x8b", b"Rar!", b"7z\xbc\xaf", b"BZh", b"\xfd7zXZ", b"\x28\xb5\x2f\xfd")


def blocks(path: Path, known: Collection[str] = (), size: int = BLOCK) -> Iterator[Block]:
    """The blocks of a file; at least one, even of an empty file. Raises OSError only.

    ``known`` are the names that its header may have, in their comparable form (``header.comparable``).
    """
    with path.open("rb") as stream:
        head = stream.read(64)
    plain = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if head.startswith(_WORKBOOKS):
        yield from workbook_blocks(path, known)
    elif head.startswith(b"PAR1") or path.suffix.lower() == ".parquet":
        yield from parquet_blocks(path)
    elif plain.startswith(_MARKUP):
        yield bad_file("intake.reason.markup")
    elif head.startswith(_OTHERS):
        yield bad_file("intake.reason.other-format")
    elif path.suffix.lower() in _JSON or plain.startswith((b'{"', b"[{")):
        yield from json_blocks(path, size)
    else:
        yield from delimited_blocks(path, known, size)
