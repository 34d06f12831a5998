"""Any bytes are read without an error, no line is lost, and a good line keeps its number whatever the other lines
are.
"""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from privacy.files.reading import blocks

VALUE = st.text(st.characters(codec="utf-8", exclude_characters="\x00\r", exclude_categories=("Cs",)), max_size=12)


def read(path: Path, content: bytes, size: int = 1 << 20) -> tuple[list[dict[str, str]], list[int], dict[int, str]]:
    path.write_bytes(content)
    rows, lines, bad = [], [], {}
    for block in blocks(path, size=size):
        rows += block.rows.to_pylist()
        lines += block.lines.tolist()
        bad |= {line.line: str(line.reason) for line in block.bad}
    return rows, lines, bad


@pytest.mark.parametrize("size", [1 << 20, 64])
def test_bad_lines_are_split_out_and_the_rest_is_read(tmp_path: Path, size: int) -> None:
    content = b'a,b,c\n1,"x,\ny",3\n4,5\n\n6,"7"",7",8\n9,st"ray,1\n10,11,12\r\n'
    content += "13,中文,2\n".encode("gb18030") + b"15,\xff\xff,2\n" + '14,中,"q"'.encode()
    rows, lines, bad = read(tmp_path / "x.csv", content, size)
    assert [list(row.values()) for row in rows] == [
        ["1", "x,\ny", "3"],
        ["6", '7",7', "8"],
        ["9", 'st"ray', "1"],
        ["10", "11", "12"],
        ["13", "中文", "2"],
        ["14", "中", "q"],
    ]
    assert lines == [2, 6, 7, 8, 9, 11]
    assert bad[4] == "the row has 2 columns and the header 3"
    assert bad[10].startswith("the line is neither UTF-8 nor GB18030")


@settings(max_examples=80, deadline=None)
@given(rows=st.lists(st.tuples(VALUE, VALUE), max_size=12))
def test_what_csv_writes_is_read(tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str]]) -> None:
    out = io.StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writerow(["a", "b"])
    writer.writerows(rows)
    parsed, _, bad = read(tmp_path_factory.mktemp("csv") / "x.csv", out.getvalue().encode())
    assert not bad
    # A row without any value is a blank line, and a value's line breaks are line feeds.
    assert [(row["a"], row["b"]) for row in parsed] == [row for row in rows if any(value.strip() for value in row)]


@settings(max_examples=120, deadline=None)
@given(content=st.binary(max_size=200), size=st.sampled_from([1 << 20, 16]))
def test_no_bytes_are_fatal(tmp_path_factory: pytest.TempPathFactory, content: bytes, size: int) -> None:
    read(tmp_path_factory.mktemp("csv") / "x.csv", content, size)
    read(tmp_path_factory.mktemp("csv") / "y.csv", b"a,b\n" + content, size)
    read(tmp_path_factory.mktemp("csv") / "z.parquet", content, size)


HEADS = {
    "CODE,DOCUMENT,DAYx911201,R1,2024\n": 1,  # a row that ran into the header
    "911201000000000000,R1,2024-03-01\nCODE,DOCUMENT,DAY\n": 1,  # a row above the header
    "911201000000000000,R1,2024-03-01\n": 1,  # no header at all
    "2024年虚构局第20240301号表\nCODE,DOCUMENT,DAY\n": 0,  # a title
}


@pytest.mark.parametrize("head", HEADS)
def test_a_row_in_a_header_or_above_it_is_reported(tmp_path: Path, head: str) -> None:
    path = tmp_path / "x.csv"
    path.write_text(head + "911201000000000001,R2,2024-03-02\n", encoding="utf-8")
    read_blocks = list(blocks(path, {"code", "document", "day"}))
    bad = [line for block in read_blocks for line in block.bad]
    assert [line.reason.id for line in bad][: HEADS[head]] == ["intake.reason.header-holds-data"] * HEADS[head]
    assert sum(len(block.rows) for block in read_blocks) + len(bad) == 1 + HEADS[head]


DAMAGED_HEADS = {
    b"CODE,DOCUMENT,DAY\r\xb4911201000000000000,R1,2024-03-01\n": "intake.reason.not-text",  # bytes of no encoding
    b'CODE,DOCUMENT,DAY\r911201000000000000,R1,"2024"x\n': "intake.reason.header-holds-data",  # no valid line
}


@pytest.mark.parametrize("head", DAMAGED_HEADS)
@pytest.mark.parametrize("header", [b"", b"CODE,DOCUMENT,DAY\n"])
def test_a_row_in_a_head_that_cannot_be_read_is_reported(tmp_path: Path, head: bytes, header: bytes) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(head + header + b"911201000000000001,R2,2024-03-02\n")
    read_blocks = list(blocks(path, {"code", "document", "day"}))
    bad = [line for block in read_blocks for line in block.bad]
    assert (bad[0].line, bad[0].reason.id) == (1, DAMAGED_HEADS[head])
    assert "R1" in bad[0].content or b"R1".hex() in bad[0].content
    assert sum(len(block.rows) for block in read_blocks) + len(bad) == 2
