"""Notebooks (笔记本): the sources of cells and their printed outputs, read like any text, in a new notebook.

Ids, numbers of execution and the metadata that Jupyter writes stay behind, and so does the HTML beside a printed table;
the finding counts them. In place of a picture stands a line that says so, and the finding counts these too.
Attachments, widgets and members that nbformat 4 does not have are refused.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from credit.messages import Text
from lab.airlock.choices.counted import Choices, choices_of
from lab.airlock.grid import Grid
from lab.airlock.issue import Issue, fail
from lab.airlock.kinds.file_format import ModelFindings, ReadFile
from lab.airlock.kinds.shown import Shown, TextBlock
from lab.airlock.kinds.texts.decoding import plain
from lab.airlock.kinds.texts.notebook_code import cell_lines
from lab.airlock.kinds.texts.prose import ProseModel, read_prose
from lab.airlock.kinds.texts.text_checks import WholeText, judge_text
from lab.airlock.kinds.texts.text_format import CODE, outside_tables, tables_of
from lab.airlock.parcel_context import FileDescription
from lab.airlock.thresholds import Thresholds
from lab.airlock.words.code_words import code_words
from lab.airlock.words.unreadable import unreadable_bits

_FIX = Text.of("airlock.notebook-form-fix")
_FORM = fail(Text.of("airlock.notebook-form"), _FIX)
_NOTEBOOK = {"cells", "metadata", "nbformat", "nbformat_minor"}
_CELL = {"cell_type", "source", "metadata", "id"}
_CODE_CELL = _CELL | {"outputs", "execution_count"}
_OTHER_FORMS = {"text/plain", "text/html", "text/markdown", "text/latex"}  # forms of what is also printed plainly
_PICTURES = {"image/png", "image/jpeg", "image/svg+xml"}
_LEFT_OUT = "(A picture was left out here.)"  # what leaves in its place


@dataclass(frozen=True, slots=True)
class NotebookCell:
    """A cell of ``kind`` code, markdown or raw: its lines, and for prose its blocks; ``output`` is what it printed."""

    kind: str
    lines: tuple[str, ...]
    prose: ProseModel | None = None
    output: ProseModel | None = None


@dataclass(frozen=True)
class NotebookModel:
    """The cells of a notebook, in order."""

    cells: tuple[NotebookCell, ...]

    @property
    def text(self) -> str:
        """All lines of all cells and outputs, in order."""
        return "\n".join(line for _, lines in self.parts() for line in lines)

    @property
    def sentences(self) -> str:
        """The text without the numbers in the cells of its tables."""
        parts = []
        for cell in self.cells:
            parts.append(cell.prose.sentences if cell.prose else code_words(cell.lines))
            parts += [cell.output.sentences] if cell.output else []
        return "\n".join(parts)

    @property
    def form(self) -> list[str]:
        """What each cell is, and each block of its prose and of its output."""
        form = []
        for cell in self.cells:
            form += [f"{cell.kind} cell", *(cell.prose.form if cell.prose else [])]
            form += ["output", *cell.output.form] if cell.output else []
        return form

    @cached_property
    def choices(self) -> Choices:
        """The choices of all cells as one text."""
        parts: list[tuple[str, tuple[str, ...]]] = []
        for cell in self.cells:
            parts += cell.prose.parts if cell.prose else [("python", cell.lines)]
            parts += cell.output.parts if cell.output else []
        return choices_of(self.form, parts)

    def parts(self) -> list[tuple[str, tuple[str, ...]]]:
        """The parts of the page in order: a kind (code, markdown, raw, text) and its lines."""
        parts = []
        for cell in self.cells:
            parts.append((cell.kind, cell.lines))
            if cell.output:
                parts.append(("text", cell.output.lines))
        return parts


class _Refusal(Exception):
    """A notebook that cannot leave, with the issue."""

    def __init__(self, issue: Issue) -> None:
        self.issue = issue


class NotebookFormat:
    """Notebooks of nbformat 4 with Python."""

    def read(self, content: bytes, t: Thresholds) -> ReadFile[NotebookModel] | Issue:
        """The cells of a notebook, or the issue that names what has no place in it."""
        left: Counter[str] = Counter()
        try:
            notebook = json.loads(content.decode("utf-8-sig"), object_pairs_hook=_members, parse_constant=_no_constant)
            _require_form(notebook, left)
            cells = [_cell(cell, left, t) for cell in notebook["cells"]]
        except _Refusal as refusal:
            return refusal.issue
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return _FORM
        kept = tuple(cell for cell in cells if cell is not None)
        return ReadFile(NotebookModel(kept), +left) if kept else _FORM

    def judge(self, name: str, model: NotebookModel, about: FileDescription, t: Thresholds) -> ModelFindings:
        """The checks of all cells as one text, and those of each table in it."""
        words: list[str] = []
        code: list[str] = []
        tables: list[Grid] = []
        for cell in model.cells:
            for prose in (cell.prose, cell.output):
                tables += tables_of(prose) if prose else []
            (words if cell.prose else code).append(outside_tables(cell.prose) if cell.prose else "\n".join(cell.lines))
            words += [outside_tables(cell.output)] if cell.output else []
        case = WholeText(model.text, model.sentences, model.choices.charged, about)
        return judge_text(name, case, tables, t, "\n\n".join(words), "\n\n".join(code))

    def show(self, model: NotebookModel) -> Shown:
        """All cells and outputs; lines are numbered through the notebook."""
        blocks, first = [], 1
        for kind, lines in model.parts():
            blocks.append(TextBlock(kind, lines, first))
            first += len(lines)
        bits = unreadable_bits(model.sentences, model.choices.charged).total + model.choices.shown
        return Shown(tuple(blocks), int(bits + 7) // 8)

    def write(self, name: str, model: NotebookModel) -> dict[str, bytes]:
        """A new notebook under the same name."""
        notebook = {
            "cells": [_written(number, cell) for number, cell in enumerate(model.cells)],
            "metadata": {"language_info": {"name": "python"}},
            "nbformat": 4,
            "nbformat_minor": 5,
        }
        return {name: json.dumps(notebook, ensure_ascii=False, indent=1).encode() + b"\n"}


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({name for name, _ in pairs}) < len(pairs):
        raise _Refusal(fail(Text.of("airlock.notebook-twice"), _FIX))
    return dict(pairs)


def _no_constant(name: str) -> None:
    raise ValueError(name)


def _require_form(notebook: Any, left: Counter[str]) -> None:
    _require_members(notebook, _NOTEBOOK)
    language = notebook.get("metadata", {}).get("language_info", {}).get("name", "python")
    if notebook["nbformat"] != 4 or language != "python" or not isinstance(notebook["cells"], list):
        raise _Refusal(_FORM)
    left["airlock.rewritten-metadata"] += len(notebook.get("metadata") or {})


def _require_members(value: Mapping[str, Any], known: set[str]) -> None:
    unknown = sorted(value.keys() - known)
    if unknown:
        names = ", ".join(name if name.replace("_", "").isalnum() and len(name) <= 30 else "?" for name in unknown[:5])
        raise _Refusal(fail(Text.of("airlock.notebook-member", names=names), _FIX))


def _cell(cell: Mapping[str, Any], left: Counter[str], t: Thresholds) -> NotebookCell | None:
    kind = cell["cell_type"]
    if cell.get("attachments"):
        raise _Refusal(fail(Text.of("airlock.notebook-attachment"), Text.of("airlock.notebook-picture-fix")))
    _require_members(cell, (_CODE_CELL if kind == "code" else _CELL | {"attachments"}))
    left["airlock.rewritten-metadata"] += len(cell.get("metadata") or {})
    source = _plain(_joined(cell["source"]), left, t)
    if kind == "code":
        lines = cell_lines(source)
        if isinstance(lines, Issue):
            raise _Refusal(lines)
        output = _output(cell.get("outputs") or [], left, t)
        return NotebookCell("code", lines, output=output) if lines or output else None
    if kind not in ("markdown", "raw"):
        raise _Refusal(_FORM)
    prose = _prose(source, left, t)
    return NotebookCell(kind, prose.lines, prose) if prose.blocks else None


def _output(outputs: list[Mapping[str, Any]], left: Counter[str], t: Thresholds) -> ProseModel | None:
    """What a cell printed, as one text; widgets and other forms without a printed one are refused."""
    texts = []
    for each in outputs:
        match each["output_type"]:
            case "stream":
                _require_members(each, {"output_type", "name", "text"})
                texts.append(_joined(each["text"]))
            case "execute_result" | "display_data":
                _require_members(each, {"output_type", "data", "metadata", "execution_count"})
                if each["data"].keys() & _PICTURES:
                    left["airlock.rewritten-left-out"] += 1
                    texts.append(_LEFT_OUT)
                    continue
                others = each["data"].keys() - {"text/plain"}
                if "text/plain" not in each["data"] or others - _OTHER_FORMS:
                    raise _Refusal(fail(Text.of("airlock.notebook-output"), Text.of("airlock.notebook-picture-fix")))
                left["airlock.rewritten-forms"] += len(others)
                texts.append(_joined(each["data"]["text/plain"]))
            case "error":
                _require_members(each, {"output_type", "ename", "evalue", "traceback"})
                left["airlock.rewritten-traceback"] += 1
                texts.append(f"{each['ename']}: {each['evalue']}")
            case _:
                raise _Refusal(_FORM)
    prose = _prose(_plain("\n\n".join(texts), left, t), left, t) if texts else None
    return prose if prose and prose.blocks else None


def _prose(text: str, left: Counter[str], t: Thresholds) -> ProseModel:
    prose = read_prose(text.split("\n"), CODE, t["row_order_bits_at_most"])
    if isinstance(prose, Issue):
        raise _Refusal(prose)
    left["airlock.rewritten-order"] += prose.put_in_order
    return prose


def _joined(source: Any) -> str:
    text = "".join(source) if isinstance(source, list) else source
    if not isinstance(text, str):
        raise _Refusal(_FORM)
    return text


def _plain(text: str, left: Counter[str], t: Thresholds) -> str:
    read = plain(text, t)
    if isinstance(read, Issue):
        raise _Refusal(read)
    left.update(read.rewritten)
    return read.text


def _written(number: int, cell: NotebookCell) -> dict[str, Any]:
    written: dict[str, Any] = {
        "cell_type": cell.kind,
        "id": f"cell-{number}",
        "metadata": {},
        "source": "\n".join(cell.lines),
    }
    if cell.kind == "code":
        text = "\n".join(cell.output.lines) + "\n" if cell.output else ""
        shown = [{"name": "stdout", "output_type": "stream", "text": text}]
        written |= {"execution_count": None, "outputs": shown if cell.output else []}
    return written
