"""The formats of prose, Python and SQL (文本格式): read into their one spelling, shown and written as its lines."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from credit.messages import Text
from lab.airlock.choices.counted import Choices, choices_of
from lab.airlock.grid import Grid
from lab.airlock.issue import Issue, fail
from lab.airlock.kinds.file_format import ModelFindings, ReadFile
from lab.airlock.kinds.shown import Shown, TextBlock
from lab.airlock.kinds.texts.decoding import decode
from lab.airlock.kinds.texts.notebook_code import cell_lines
from lab.airlock.kinds.texts.plain_code import LANGUAGES, plain_lines
from lab.airlock.kinds.texts.prose import ProseModel, read_prose
from lab.airlock.kinds.texts.sql_code import sql_lines
from lab.airlock.kinds.texts.text_checks import WholeText, judge_text
from lab.airlock.parcel_context import FileDescription
from lab.airlock.thresholds import Thresholds
from lab.airlock.words.code_words import code_words
from lab.airlock.words.unreadable import unreadable_bits

CODE = {"python": cell_lines, "sql": sql_lines, **dict.fromkeys(LANGUAGES, plain_lines)}
_LETTER = re.compile(r"[^\W_]")
_EMPTY = fail(Text.of("airlock.empty"), Text.of("airlock.empty-fix"))


@dataclass(frozen=True, slots=True)
class CodeModel:
    """Code as the lines in which it is written."""

    lines: tuple[str, ...]


class ProseFormat:
    """Markdown and plain text: blocks of one spelling."""

    def read(self, content: bytes, t: Thresholds) -> ReadFile[ProseModel] | Issue:
        """The blocks of a text, or the issue that names what has no place in it."""
        given = decode(content, t)
        if isinstance(given, Issue):
            return given
        model = read_prose(given.text.split("\n"), CODE, t["row_order_bits_at_most"])
        if isinstance(model, Issue):
            return model
        if not any(map(_LETTER.search, model.lines)):
            return fail(Text.of("airlock.no-words"), Text.of("airlock.no-words-fix")) if model.blocks else _EMPTY
        ordered = {"airlock.rewritten-order": model.put_in_order} if model.put_in_order else {}
        return ReadFile(model, {**given.rewritten, **ordered})

    def judge(self, name: str, model: ProseModel, about: FileDescription, t: Thresholds) -> ModelFindings:
        """The checks of the text as a whole, and those of each table in it."""
        choices = choices_of(model.form, model.parts).charged
        case = WholeText("\n".join(model.lines), model.sentences, choices, about)
        return judge_text(name, case, tables_of(model), t, outside_tables(model))

    def show(self, model: ProseModel) -> Shown:
        """All lines; beside them the file holds what a reader passes over."""
        return shown_lines("text", model.lines, model.sentences, choices_of(model.form, model.parts))

    def write(self, name: str, model: ProseModel) -> dict[str, bytes]:
        """The text under its name."""
        return {name: written(model.lines)}


@dataclass(frozen=True, slots=True)
class CodeFormat:
    """Code in one ``language`` (python or sql), which ``reader`` reads."""

    language: str
    reader: Callable[[str], tuple[str, ...] | Issue]

    def read(self, content: bytes, t: Thresholds) -> ReadFile[CodeModel] | Issue:
        """The code in its one form, or the issue that names what has no place in it."""
        given = decode(content, t)
        if isinstance(given, Issue):
            return given
        lines = self.reader(given.text)
        if isinstance(lines, Issue):
            return lines
        return ReadFile(CodeModel(lines), {**given.rewritten, "airlock.rewritten-code": 1}) if lines else _EMPTY

    def judge(self, name: str, model: CodeModel, about: FileDescription, t: Thresholds) -> ModelFindings:
        """The checks of the text as a whole, and those of tables that are written in it."""
        text = "\n".join(model.lines)
        case = WholeText(text, code_words(model.lines), self._choices(model).charged, about)
        return judge_text(name, case, (), t, code=text)

    def show(self, model: CodeModel) -> Shown:
        """All lines."""
        return shown_lines("code", model.lines, code_words(model.lines), self._choices(model))

    def write(self, name: str, model: CodeModel) -> dict[str, bytes]:
        """The code under its name."""
        return {name: written(model.lines)}

    def _choices(self, model: CodeModel) -> Choices:
        return choices_of([], [(self.language, model.lines)])


def tables_of(model: ProseModel) -> list[Grid]:
    """The tables of a text as grids, labelled by the lines on which their rows are written."""
    grids, line = [], 1
    for before, block in zip((None, *model.blocks), model.blocks, strict=False):
        line += before is not None and not (before.kind == block.kind == "item")
        if block.kind == "table":
            header, *rows = block.cells
            grids.append(Grid.of(header, rows, f"lines {line + 2} to {line + len(block.lines) - 1}"))
        line += len(block.lines)
    return grids


def outside_tables(model: ProseModel) -> str:
    """The text with an empty line in place of each line of a table."""
    lines: list[str] = []
    for before, block in zip((None, *model.blocks), model.blocks, strict=False):
        lines += [""] * (before is not None and not (before.kind == block.kind == "item"))
        lines += [""] * len(block.lines) if block.kind == "table" else block.lines
    return "\n".join(lines)


def shown_lines(kind: str, lines: tuple[str, ...], sentences: str, choices: Choices) -> Shown:
    """A page of lines, with the bytes of what is not words in its sentences and of choices."""
    bits = unreadable_bits(sentences, choices.charged).total + choices.shown
    return Shown((TextBlock(kind, lines),), int(bits + 7) // 8)


def written(lines: tuple[str, ...]) -> bytes:
    """Lines as the bytes of a file."""
    return ("\n".join(lines) + "\n").encode()
