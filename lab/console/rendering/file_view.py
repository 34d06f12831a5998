"""A file as a reviewer sees it (文件展示): what it holds, with what the gate suspects marked in its place."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from credit.gate import Finding, Outcome
from lab.airlock.files.grid import Grid
from lab.airlock.gate import tables_in
from lab.airlock.parcel_context import FileDescription
from lab.airlock.thresholds import load
from lab.console.rendering.model_summary import summary

ROWS, LINES = 500, 2000  # shown of one table or text; marked ones beyond are shown too
_CELL = re.compile(r"(?:rows? (\d+(?:, \d+)*)(?: together)?|total), (.+)")
_BLOCK = re.compile(r"lines (\d+) to \d+")
Place = TypeVar("Place")
Mark = str  # the outcome that marks a place: review or fail


@dataclass(frozen=True, slots=True)
class Table:
    """A table: header cells and rows of ``(text, mark)``, each row with its number from 1."""

    label: str
    header: list[tuple[str, Mark]]
    rows: list[tuple[int, list[tuple[str, Mark]]]]
    left_out: int = 0


@dataclass(frozen=True, slots=True)
class Text:
    """Numbered lines ``(number, text, mark)``; ``kind`` is code, markdown, raw or text."""

    kind: str
    lines: list[tuple[int, str, Mark]]
    left_out: int = 0


@dataclass(frozen=True, slots=True)
class Shown:
    """A file in the form its kind is best looked at: tables, texts, a picture, or facts of a model."""

    kind: str
    tables: list[Table] = field(default_factory=list)
    texts: list[Text] = field(default_factory=list)
    picture: bool = False
    facts: Mapping[str, object] = field(default_factory=dict)


def show(name: str, kind: str, content: bytes, about: FileDescription, findings: Sequence[Finding]) -> Shown:
    """What to draw of a file; ``findings`` are those of the gate about it."""
    if kind in ("png", "jpeg", "svg"):
        return Shown(kind, picture=True)
    if kind in ("table", "parquet", "json"):
        grids = [case.grid for case in tables_in(name, content, about, load())]
        return Shown(kind, tables=[_table(grid, name, findings) for grid in grids])
    text = content.decode("utf-8-sig", errors="replace")
    if kind in ("model", "version"):
        return Shown(kind, texts=[_text("text", text, 1, {})], facts=summary(kind, text))
    marks = _line_marks(name, findings)
    if kind == "notebook":
        return Shown(kind, texts=_notebook(text, marks))
    return Shown(kind, texts=[_text("text", text, 1, marks)])


def _table(grid: Grid, name: str, findings: Sequence[Finding]) -> Table:
    label = f"{name} ({grid.label})" if grid.label else name
    cells: dict[tuple[int, str], Mark] = {}
    columns: dict[str, Mark] = {}
    for finding in _troubles(findings):
        if grid.label and finding.check != "differencing" and not finding.why.startswith(f"{label}:"):
            continue
        for place in _list(finding, "cells"):
            found = _CELL.fullmatch(place)
            for row in (found[1] or "").split(", ") if found else ():
                for column in found[2].split(" less ") if found and row else ():
                    _worse(cells, (int(row), column), finding)
        for column in _list(finding, "columns"):
            _worse(columns, column, finding)
    marked = {row for row, _ in cells}
    chosen = [row for row in range(1, grid.rows + 1) if row <= ROWS or row in marked]
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
    return Table(grid.label, header, rows, grid.rows - len(chosen))


def _line_marks(name: str, findings: Sequence[Finding]) -> dict[int, Mark]:
    """Lines that findings name, and the lines of cells of tables that stand inside a text."""
    marks: dict[int, Mark] = {}
    for finding in _troubles(findings):
        for line in _list(finding, "lines"):
            _worse(marks, int(line), finding)
        block = _BLOCK.search(finding.why)
        for place in _list(finding, "cells") if block else ():
            found = _CELL.fullmatch(place)
            for row in (found[1] or "").split(", ") if found else ():
                if row and block:
                    _worse(marks, int(block[1]) + int(row) - 1, finding)
    return marks


def _notebook(text: str, marks: Mapping[int, Mark]) -> list[Text]:
    """The cells of a notebook, their lines numbered on from cell to cell as the gate's findings number them."""
    found, first = [], 1
    for cell in json.loads(text)["cells"]:
        found.append(_text(str(cell["cell_type"]), str(cell["source"]), first, marks))
        first += str(cell["source"]).count("\n") + 1
    return found


def _text(kind: str, text: str, first: int, marks: Mapping[int, Mark]) -> Text:
    lines = list(enumerate(text.split("\n"), start=first))
    shown = [(n, line, marks.get(n, "")) for n, line in lines if n - first < LINES or n in marks]
    return Text(kind, shown, len(lines) - len(shown))


def _troubles(findings: Sequence[Finding]) -> list[Finding]:
    return [finding for finding in findings if finding.outcome is not Outcome.PASS]


def _list(finding: Finding, name: str) -> list[str]:
    """A list in a finding's evidence; the same name may hold a number there, which is none."""
    told = finding.evidence.get(name)
    return [str(each) for each in told] if isinstance(told, (list, tuple)) else []


def _worse(marks: dict[Place, Mark], place: Place, finding: Finding) -> None:
    if marks.get(place) != Outcome.FAIL:
        marks[place] = finding.outcome.value
