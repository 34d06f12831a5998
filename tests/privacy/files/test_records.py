"""One grammar for delimited lines: the reader agrees with a slow reference that reads one character after the other."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from privacy.files.delimited import delimited_blocks
from privacy.files.records import Width, physical_lines, split

PIECES = st.sampled_from(
    ['"', '""', ",", "\n", "\r\n", "\r", "a", "中", "b c", " ", "\0", '",', ',"', "\t", "x,y,z,w\n"]
)
TEXTS = st.lists(PIECES, max_size=40).map("".join)


def reference(text: str, columns: int) -> tuple[list[tuple[int, list[str]]], list[int], int]:
    """(line, cells) of the rows, the lines that are none, and the number of blank lines: RFC 4180 as a state machine.

    From each line the longest record is tried; what is none costs its first line, and the next one is tried.
    """
    lines = physical(text)
    rows, bad, blank, at = list[tuple[int, list[str]]](), list[int](), 0, 0
    while at < len(lines):
        end, cells = record(lines, at)
        several = end - at > 1
        if cells is None or (several and not whole(lines[at:end], cells, columns)):
            bad.append(at)
            at += 1
            continue
        if not any(cell.strip() for cell in cells):
            blank += 1
        elif (fitted := fit(cells, columns)) is not None:
            rows.append((at, fitted))
        else:
            bad.append(at)
        at = end
    return rows, bad, blank


def physical(text: str) -> list[str]:
    """Lines that end with a line feed; other carriage returns and zero bytes are blanks."""
    lines, line = list[str](), ""
    for place, character in enumerate(text):
        if character == "\r":
            character = "" if text[place + 1 : place + 2] == "\n" else " "
        line += " " if character == "\0" else character
        if character == "\n":
            lines.append(line)
            line = ""
    return [*lines, line] if line else lines


def record(lines: Sequence[str], at: int) -> tuple[int, list[str] | None]:
    """The end of the record that begins at a line, and its cells; None for what is no record."""
    cells, cell, state, end = list[str](), "", "start", at
    for line in lines[at:]:
        end += 1
        for character in line:
            if state == "quoted":
                state, cell = ("quote", cell) if character == '"' else (state, cell + character)
            elif character in ",\n":
                cells.append(cell)
                cell, state = "", "start"
            elif state == "quote":
                if character != '"':
                    return end, None
                state, cell = "quoted", cell + '"'
            elif state == "start" and character == '"':
                state = "quoted"
            else:
                state, cell = "plain", cell + character
        if state != "quoted":
            return end, cells if line.endswith("\n") else [*cells, cell]
    return end, None


def fit(cells: list[str], columns: int) -> list[str] | None:
    spare = cells[columns:]
    return cells[:columns] if len(cells) >= columns and not any(cell.strip() for cell in spare) else None


def whole(lines: Sequence[str], cells: list[str], columns: int) -> bool:
    """A record of several lines has the width, and in wide tables not each of its lines is a row for itself."""
    if fit(cells, columns) is None:
        return False
    rows = [line.count(",") + 1 == columns for line in lines]
    return columns < 4 or not (rows[0] and any(rows[1:]))


@settings(max_examples=400, deadline=None)
@given(text=TEXTS, columns=st.integers(1, 5))
def test_the_records_are_those_of_the_reference(text: str, columns: int) -> None:
    records = split(physical_lines(text), ",", Width(columns, columns), last=True)
    rows, bad, blank = reference(text, columns)
    assert list(zip(records.lines, records.rows, strict=True)) == rows
    assert [line for line, _ in records.bad] == bad
    assert records.blanks == blank


@settings(max_examples=250, deadline=None)
@given(text=TEXTS, columns=st.integers(2, 5), size=st.sampled_from([3, 17, 64, 1 << 20]))
def test_blocks_of_any_size_are_the_same_rows(
    tmp_path_factory: pytest.TempPathFactory, text: str, columns: int, size: int
) -> None:
    names = [f"column_{number}" for number in range(columns)]
    path = tmp_path_factory.mktemp("files") / "x.csv"
    path.write_bytes((",".join(names) + "\n" + text).encode())
    rows, bad, blanks = list[tuple[int, list[str]]](), list[int](), 0
    for block in delimited_blocks(path, names, size):
        given_rows = ([str(value) for value in row.values()] for row in block.rows.to_pylist())
        rows += zip((line - 2 for line in block.lines.tolist()), given_rows, strict=True)
        bad += [line.line - 2 for line in block.bad]
        blanks += block.others.get("blank", 0)
    expected, expected_bad, expected_blanks = reference(text, columns)
    assert sorted(rows) == expected
    assert sorted(bad) == expected_bad
    assert blanks == expected_blanks


@pytest.mark.parametrize("line", ['1,"2,3\n', '1,"",3\n', 'a,"b\nc",d\n', '"""\n', '1,2"3,4\n'])
def test_a_line_is_the_first_of_at_most_one_attempt(line: str) -> None:
    """The work is linear: thousands of open quotation marks and of cells with line breaks begin no line twice."""
    lines = physical_lines(line * 3000)
    records = split(lines, ",", Width(3, 3), last=True)
    assert records.attempts <= len(lines) + 1
    assert len(records.rows) + len(records.bad) + records.blanks <= len(lines)
