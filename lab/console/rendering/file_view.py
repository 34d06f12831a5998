"""A file as a reviewer sees it (文件展示): its tables, text or picture, with the places of the findings marked."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from credit.gate import Finding, Outcome
from lab.airlock.gate import tables_in
from lab.airlock.grid import Grid
from lab.airlock.parcel_context import FileDescription
from lab.airlock.thresholds import load
from lab.console.rendering.model_summary import summary

ROWS_SHOWN, LINES_SHOWN = 500, 2000  # of one table or text that are shown; marked ones beyond them are shown too
_CELL = re.compile(r"(?:rows? (\d+(?:, \d+)*)(?: together)?|total), (.+)")
_BLOCK = re.compile(r"lines (\d+) to \d+")
PlaceT = TypeVar("PlaceT")
Mark = str  # the outcome that marks a place: "review", "fail", or empty


@dataclass(frozen=True, slots=True)
class ShownTable:
    """A table: header cells and rows of ``(text, mark)``; rows are numbered from 1. ``left_out`` counts hidden rows."""

    label: str
    header: list[tuple[str, Mark]]
    rows: list[tuple[int, list[tuple[str, Mark]]]]
    left_out: int = 0


@dataclass(frozen=True, slots=True)
class ShownText:
    """Numbered lines ``(number, text, mark)``; ``kind`` is code, markdown, raw or text.

    ``left_out`` counts the lines that are not shown.
    """

    kind: str
    lines: list[tuple[int, str, Mark]]
    left_out: int = 0


@dataclass(frozen=True, slots=True)
class FileView:
    """What a page shows of a file, by its kind: tables, texts, a picture, or facts about a model."""

    kind: str
    tables: list[ShownTable] = field(default_factory=list)
    texts: list[ShownText] = field(default_factory=list)
    picture: bool = False
    facts: Mapping[str, object] = field(default_factory=dict)


def view_file(name: str, kind: str, content: bytes, about: FileDescription, findings: Sequence[Finding]) -> FileView:
    """The view of a file; ``findings`` are the gate's findings about it, whose places are marked."""
    if kind in ("png", "jpeg", "svg"):
        return FileView(kind, picture=True)
    if kind in ("table", "parquet", "json"):
        grids = [case.grid for case in tables_in(name, content, about, load())]
        return FileView(kind, tables=[_table(grid, name, findings) for grid in grids])
    text = content.decode("utf-8-sig", errors="replace")
    if kind in ("model", "version"):
        return FileView(kind, texts=[_text("text", text, 1, {})], facts=summary(kind, text))
    marks = _line_marks(name, findings)
    if kind == "notebook":
        return FileView(kind, texts=_notebook(text, marks))
    return FileView(kind, texts=[_text("text", text, 1, marks)])


def _table(grid: Grid, name: str, findings: Sequence[Finding]) -> ShownTable:
    label = f"{name} ({grid.label})" if grid.label else name
    cells: dict[tuple[int, str], Mark] = {}
    columns: dict[str, Mark] = {}
    for finding in _open_findings(findings):
        if grid.label and finding.check != "differencing" and not finding.why.startswith(f"{label}:"):
            continue
        for place in _list(finding, "cells"):
            match = _CELL.fullmatch(place)
            for row in (match[1] or "").split(", ") if match else ():
                for column in match[2].split(" less ") if match and row else ():
                    _raise_mark(cells, (int(row), column), finding)
        for column in _list(finding, "columns"):
            _raise_mark(columns, column, finding)
    marked = {row for row, _ in cells}
    chosen = [row for row in range(1, grid.rows + 1) if row <= ROWS_SHOWN or row in marked]
    rows = [
        (
            row,
            [
                (c.texts[row - 1], cells.get((row, c.display_name), columns.get(c.display_name, "")))
                for c in grid.columns
            ],
        )
        for row in chosen
    ]
    header = [(column.name, columns.get(column.display_name, "")) for column in grid.columns]
    return ShownTable(grid.label, header, rows, grid.rows - len(chosen))


def _line_marks(name: str, findings: Sequence[Finding]) -> dict[int, Mark]:
    """Marks by line number: lines that findings name, and lines of table cells inside a text."""
    marks: dict[int, Mark] = {}
    for finding in _open_findings(findings):
        for line in _list(finding, "lines"):
            _raise_mark(marks, int(line), finding)
        block = _BLOCK.search(finding.why)
        for place in _list(finding, "cells") if block else ():
            match = _CELL.fullmatch(place)
            for row in (match[1] or "").split(", ") if match else ():
                if row and block:
                    _raise_mark(marks, int(block[1]) + int(row) - 1, finding)
    return marks


def _notebook(text: str, marks: Mapping[int, Mark]) -> list[ShownText]:
    """The cells of a notebook; lines are numbered through all cells, as in the gate's findings."""
    texts, first = [], 1
    for cell in json.loads(text)["cells"]:
        texts.append(_text(str(cell["cell_type"]), str(cell["source"]), first, marks))
        first += str(cell["source"]).count("\n") + 1
    return texts


def _text(kind: str, text: str, first: int, marks: Mapping[int, Mark]) -> ShownText:
    lines = list(enumerate(text.split("\n"), start=first))
    shown = [(n, line, marks.get(n, "")) for n, line in lines if n - first < LINES_SHOWN or n in marks]
    return ShownText(kind, shown, len(lines) - len(shown))


def _open_findings(findings: Sequence[Finding]) -> list[Finding]:
    return [finding for finding in findings if finding.outcome is not Outcome.PASS]


def _list(finding: Finding, name: str) -> list[str]:
    """A list in a finding's evidence; empty when the name is missing or holds a number."""
    value = finding.evidence.get(name)
    return [str(each) for each in value] if isinstance(value, (list, tuple)) else []


def _raise_mark(marks: dict[PlaceT, Mark], place: PlaceT, finding: Finding) -> None:
    if marks.get(place) != Outcome.FAIL:
        marks[place] = finding.outcome.value
