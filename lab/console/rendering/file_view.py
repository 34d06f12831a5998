"""A file as a reviewer sees it (文件展示): all of it, from the model that leaves, with the places of findings."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from credit.errors import Broken
from credit.gate import Finding, Outcome
from credit.messages import Text
from lab.airlock.files.file_kinds import FileKind
from lab.airlock.issue import Issue, display_name
from lab.airlock.kinds.models.model_copy import ModelShelf
from lab.airlock.kinds.pictures.reduced import PictureModel, preview
from lab.airlock.kinds.registry import format_of
from lab.airlock.kinds.shown import FactsBlock, PictureBlock, Shown, TableBlock
from lab.airlock.thresholds import load

_CELL = re.compile(r"(?:rows? (\d+(?:, \d+)*)(?: together)?|total), (.+)")
_BLOCK = re.compile(r"lines (\d+) to \d+")
PlaceT = TypeVar("PlaceT")
Mark = str  # the outcome that marks a place: "review", "fail", or empty


@dataclass(frozen=True, slots=True)
class ShownTable:
    """A table: header cells and rows of ``(text, mark)``; rows are numbered from 1. ``types`` are those of columns."""

    label: str
    header: list[tuple[str, Mark]]
    rows: list[tuple[int, list[tuple[str, Mark]]]]
    types: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ShownText:
    """Numbered lines ``(number, text, mark)``; ``kind`` is code, markdown, raw or text."""

    kind: str
    lines: list[tuple[int, str, Mark]]


@dataclass(frozen=True, slots=True)
class FileView:
    """What a page shows of a file, by its kind: tables, texts, a picture, or facts about a model.

    ``unseen_bytes`` is how many bytes of information the file can hold beside what is shown; None where that is not
    known. ``unreadable`` says why a stored file cannot be shown; such a file has no end that could be read.
    """

    kind: str
    tables: list[ShownTable] = field(default_factory=list)
    texts: list[ShownText] = field(default_factory=list)
    picture: bool = False
    facts: Mapping[str, object] = field(default_factory=dict)
    unseen_bytes: int | None = None
    unreadable: Text | None = None


def view_file(
    name: str, kind: str, content: bytes, findings: Sequence[Finding], models: ModelShelf | None = None
) -> FileView:
    """The view of a file's main form; ``findings`` are the gate's findings about it, whose places are marked.

    ``models`` is where a model is looked up.
    """
    format = format_of(FileKind(kind), models)
    if format is None:
        return FileView(kind, unreadable=Text.of("airlock.bare-model"))
    read = format.read(content, load())
    if isinstance(read, Issue):
        return FileView(kind, unreadable=read.why)
    return _of_blocks(name, kind, format.show(read.model), findings)


def picture_preview(kind: str, content: bytes) -> bytes:
    """A PNG that shows a stored picture and is not its file; raises :class:`Broken` for what is no picture now."""
    format = format_of(FileKind(kind))
    read = format.read(content, load()) if format is not None else None
    if read is None or isinstance(read, Issue) or not isinstance(read.model, PictureModel):
        raise Broken("redrawing.picture-cannot-be-shown")
    return preview(read.model)


def _of_blocks(name: str, kind: str, shown: Shown, findings: Sequence[Finding]) -> FileView:
    tables, texts, facts = [], [], {}
    marks = _line_marks(name, findings)
    for block in shown.blocks:
        if isinstance(block, TableBlock):
            tables.append(_table(block, name, findings))
        elif isinstance(block, FactsBlock):
            facts.update(dict(block.facts))
        elif not isinstance(block, PictureBlock):
            texts.append(_text(block.kind, block.lines, block.first, marks))
    picture = any(isinstance(block, PictureBlock) for block in shown.blocks)
    return FileView(kind, tables, texts, picture, facts, shown.unseen_bytes)


def _table(block: TableBlock, name: str, findings: Sequence[Finding]) -> ShownTable:
    label = f"{name} ({block.label})" if block.label else name
    cells: dict[tuple[int, str], Mark] = {}
    columns: dict[str, Mark] = {}
    for finding in _open_findings(findings):
        if block.label and finding.check != "differencing" and not finding.why.startswith(f"{label}:"):
            continue
        for place in _list(finding, "cells"):
            match = _CELL.fullmatch(place)
            for row in (match[1] or "").split(", ") if match else ():
                for column in match[2].split(" less ") if match and row else ():
                    _raise_mark(cells, (int(row), column), finding)
        for column in _list(finding, "columns"):
            _raise_mark(columns, column, finding)
    # A cell of two numbers is judged as two columns, whose second one is called "… share" or "… of".
    called = [(display_name(each, n), f"{each} share", f"{each} of") for n, each in enumerate(block.header)]
    rows = [
        (
            number,
            [
                (text, _first(cells.get((number, each)) or columns.get(each) for each in names))
                for text, names in zip(row, called, strict=True)
            ],
        )
        for number, row in enumerate(block.rows, start=1)
    ]
    header = [(each, _first(map(columns.get, names))) for each, names in zip(block.header, called, strict=True)]
    return ShownTable(block.label, header, rows, block.types)


def _first(marks: Iterable[Mark | None]) -> Mark:
    return next((mark for mark in marks if mark), "")


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


def _text(kind: str, lines: Sequence[str], first: int, marks: Mapping[int, Mark]) -> ShownText:
    return ShownText(kind, [(n, line, marks.get(n, "")) for n, line in enumerate(lines, start=first)])


def _open_findings(findings: Sequence[Finding]) -> list[Finding]:
    return [finding for finding in findings if finding.outcome is not Outcome.PASS]


def _list(finding: Finding, name: str) -> list[str]:
    """A list in a finding's evidence; empty when the name is missing or holds a number."""
    value = finding.evidence.get(name)
    return [str(each) for each in value] if isinstance(value, (list, tuple)) else []


def _raise_mark(marks: dict[PlaceT, Mark], place: PlaceT, finding: Finding) -> None:
    if marks.get(place) != Outcome.FAIL:
        marks[place] = finding.outcome.value
