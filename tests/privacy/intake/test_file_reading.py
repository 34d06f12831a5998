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

from privacy.intake.file_reading import blocks

VALUE = st.text(st.characters(codec="utf-8", exclude_characters="\x00\r", exclude_categories=("Cs",)), max_size=12)


def read(path: Path, content: bytes, size: int = 1 << 20) -> tuple[list[dict[str, str]], list[int], dict[int, str]]:
    path.write_bytes(content)
    rows, lines, bad = [], [], {}
    for block in blocks(path, size):
        rows += block.rows.to_pylist()
        lines += block.lines.tolist()
        bad |= {line.line: line.reason for line in block.bad}
    return rows, lines, bad


@pytest.mark.parametrize("size", [1 << 20, 64])
def test_bad_lines_are_split_out_and_the_rest_is_read(tmp_path: Path, size: int) -> None:
    content = b'a,b,c\n1,"x,\ny",3\n4,5\n\n6,"7"",7",8\n9,st"ray,1\n10,11,12\r\n'
    content += "13,中文,2\n".encode("gb18030") + '14,中,"q"'.encode()
    rows, lines, bad = read(tmp_path / "x.csv", content, size)
    assert [list(row.values()) for row in rows] == [
        ["1", "x,\ny", "3"],
        ["6", '7",7', "8"],
        ["10", "11", "12"],
        ["14", "中", "q"],
    ]
    assert lines == [2, 6, 8, 10]
    assert bad[4] == "the row has 2 columns and the header 3"
    assert bad[7].startswith("a quotation mark")
    assert bad[9].startswith("not UTF-8, reads as GB18030")


@settings(max_examples=80, deadline=None)
@given(rows=st.lists(st.tuples(VALUE, VALUE), max_size=12))
def test_what_csv_writes_is_read(tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str]]) -> None:
    out = io.StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writerow(["a", "b"])
    writer.writerows(rows)
    parsed, _, bad = read(tmp_path_factory.mktemp("csv") / "x.csv", out.getvalue().encode())
    assert not bad
    assert [(row["a"], row["b"]) for row in parsed] == rows


@settings(max_examples=120, deadline=None)
@given(content=st.binary(max_size=200), size=st.sampled_from([1 << 20, 16]))
def test_no_bytes_are_fatal(tmp_path_factory: pytest.TempPathFactory, content: bytes, size: int) -> None:
    read(tmp_path_factory.mktemp("csv") / "x.csv", content, size)
    read(tmp_path_factory.mktemp("csv") / "y.csv", b"a,b\n" + content, size)
    read(tmp_path_factory.mktemp("csv") / "z.parquet", content, size)
