"""Prose (正文): Markdown and plain text as a list of blocks, and the same blocks written in their one form.

A paragraph is one line, however it was wrapped. Items are numbered again and indented by their level. A table, also one
that is printed with blanks, is written with bars. Between blocks stands one blank line. So neither the width of a line
nor a blank line or an indentation is a choice of the writer.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from credit.messages import Text
from lab.airlock.grid import number_of
from lab.airlock.issue import Issue, fail
from lab.airlock.kinds.tables.row_order import rows_in_order
from lab.airlock.kinds.texts.plain_code import LANGUAGES, level_of
from lab.airlock.kinds.texts.printed_tables import TableRows, piped_table, printed_table
from lab.airlock.kinds.texts.spelling import prose_line
from lab.airlock.words.code_words import code_words

_HEADING = re.compile(r"\s{0,3}(#{1,6})\s+(.*?)(?:\s+#+)?\s*")
_ITEM = re.compile(r"(\s*)(?:([-*+•·])|(\d{1,3})[.)])\s+(\S.*)")
_RULE = re.compile(r"\s*([-=_*~#+.])(?:\s*\1){2,}\s*")
_QUOTE = re.compile(r"\s*>\s?(.*)")
_FENCE = re.compile(r"\s*(```+|~~~+)\s*(\w*)\s*")
_RULE_WRITTEN = "---"
_WRITTEN = {"py": "python", "python3": "python"} | {named: name for name, all in LANGUAGES.items() for named in all}
_MARK = re.compile(r"^(?:#+|>|\s*(?:-|\d+\.)) ")
DEEPEST = 3  # levels of items below the first


@dataclass(frozen=True, slots=True)
class ProseBlock:
    """A block of ``kind`` heading, paragraph, item, quote, rule, table or code, as the lines in which it is written."""

    kind: str
    lines: tuple[str, ...]
    cells: tuple[tuple[str, ...], ...] = ()  # of a table, the header first

    @property
    def form(self) -> str:
        """The kind, with the level of a heading or an item, and whether an item has a number."""
        mark = _MARK.match(self.lines[0]) if self.kind in ("heading", "item") else None
        return self.kind + (re.sub(r"\d+", "1", mark[0]) if mark else "")

    @property
    def levels(self) -> tuple[str, ...]:
        """The indentations of plain text in a fence, which nothing parses."""
        plain = self.kind == "code" and self.lines[0].removeprefix("```") in LANGUAGES
        return tuple(f"level {level_of(line)}" for line in self.lines[1:-1]) if plain else ()

    @property
    def sentences(self) -> tuple[str, ...]:
        """The lines of the block without its mark, which is its form; of a table, the cells that are no numbers."""
        if self.kind in ("item", "heading", "quote"):
            return (_MARK.sub("", self.lines[0], count=1), *self.lines[1:])
        if self.kind == "code" and not self.levels:
            return tuple(code_words(self.lines[1:-1]).split("\n"))
        if self.kind != "table":
            return self.lines
        return tuple(cell for row in self.cells for cell in row if number_of(cell) is None)


@dataclass(frozen=True, slots=True)
class ProseModel:
    """The blocks of a text, in order."""

    blocks: tuple[ProseBlock, ...]
    put_in_order: int = field(default=0, compare=False)  # rows of tables that stood in an order of their own

    @property
    def lines(self) -> tuple[str, ...]:
        """The lines of the text as it is written."""
        lines: list[str] = []
        for before, block in zip((None, *self.blocks), self.blocks, strict=False):
            if before is not None and not (before.kind == block.kind == "item"):
                lines.append("")
            lines += block.lines
        return tuple(lines)

    @property
    def sentences(self) -> str:
        """The text without the numbers in the cells of its tables."""
        return "\n".join(line for block in self.blocks for line in block.sentences)

    @property
    def parts(self) -> list[tuple[str, tuple[str, ...]]]:
        """The blocks as a kind (words, table, or the language of code) and lines."""
        return [
            (block.lines[0].strip("`"), block.lines[1:-1])
            if block.kind == "code"
            else ("table" if block.kind == "table" else "words", block.lines)
            for block in self.blocks
        ]

    @property
    def form(self) -> list[str]:
        """What each block is, by which a writer could carry bits, since a reader hardly asks why it is one."""
        return [form for block in self.blocks for form in (block.form, *block.levels)]


Code = Callable[[str], "tuple[str, ...] | Issue"]
"""A reader of code: a text to the lines in which it is written."""


def read_prose(lines: list[str], code: dict[str, Code], order_bits: float) -> ProseModel | Issue:
    """The blocks of a text, given as lines in plain characters; ``code`` has the readers of fenced code by language.

    The rows of a table whose order could carry more than ``order_bits`` are put in order.
    """
    reader = _Reader(lines, code, order_bits)
    return reader.issue or ProseModel(tuple(reader.blocks), reader.put_in_order)


class _Reader:
    """Reads a text line by line into blocks; an issue ends it."""

    def __init__(self, lines: list[str], code: dict[str, Code], order_bits: float) -> None:
        self.blocks: list[ProseBlock] = []
        self.put_in_order = 0
        self._order_bits = order_bits
        self.issue: Issue | None = None
        self._code = code
        self._open: list[str] = []  # lines of the paragraph, item or quote that is being read
        self._kind = "paragraph"
        self._levels: list[int] = []  # indentations of the items above
        self._mark = ""
        self._numbers: dict[int, int] = {}
        at = 0
        while at < len(lines) and self.issue is None:
            at += self._take(lines, at)
        self._close()

    def _take(self, lines: list[str], at: int) -> int:
        """Read what begins at a line; return the number of lines that were read."""
        line = lines[at]
        if not line.strip():
            self._close()
            return 1
        if match := _FENCE.fullmatch(line):
            return self._fence(lines, at, match)
        if (match := _HEADING.fullmatch(line)) and match[2]:
            self._add("heading", f"{match[1]} {prose_line(match[2])}")
            self._numbers.clear()
            return 1
        table = piped_table(lines, at)
        if table is None and not _ITEM.fullmatch(line) and not _QUOTE.fullmatch(line):
            table = printed_table(lines, at, lambda text: bool(_ITEM.fullmatch(text) or _HEADING.fullmatch(text)))
        if table is not None:
            self._table(table)
            return table.read
        if _RULE.fullmatch(line):
            self._close()
            if not self.blocks or self.blocks[-1].kind != "rule":
                self._add("rule", _RULE_WRITTEN)
            return 1
        if match := _ITEM.fullmatch(line):
            self._item(match)
        elif match := _QUOTE.fullmatch(line):
            if self._kind != "quote":
                self._close()
            self._kind = "quote"
            self._open.append(match[1])
        else:
            self._open.append(line)
        return 1

    def _close(self) -> None:
        text, kind = prose_line(" ".join(self._open)), self._kind
        self._open, self._kind = [], "paragraph"
        if text and kind == "item":
            self._append(ProseBlock("item", (f"{self._mark} {text}",)))
        elif text and kind == "quote":
            self._append(ProseBlock("quote", (f"> {text}",)))
        elif text and any(pattern.fullmatch(text) for pattern in (_ITEM, _HEADING, _RULE, _QUOTE, _FENCE)):
            self._take([text], 0)  # in its one spelling the line has become the beginning of another block
            self._close()
        elif text:
            self._append(ProseBlock("paragraph", (text,)))

    def _append(self, block: ProseBlock) -> None:
        if block.kind != "item":
            self._levels.clear()
        self.blocks.append(block)

    def _add(self, kind: str, *lines: str) -> None:
        self._close()
        self._append(ProseBlock(kind, lines))

    def _item(self, match: re.Match[str]) -> None:
        self._close()
        width = len(match[1].expandtabs(4))
        while self._levels and self._levels[-1] >= width:
            self._levels.pop()
        level = min(len(self._levels), DEEPEST)
        self._levels.append(width)
        for deeper in [each for each in self._numbers if each > level]:
            del self._numbers[deeper]
        number = 1 if match[3] == "1" else self._numbers.get(level, 0) + 1
        if match[3]:
            self._numbers[level] = number
        self._kind, self._open = "item", [match[4]]
        self._mark = "    " * level + (f"{number}." if match[3] else "-")

    def _table(self, table: TableRows) -> None:
        self._close()
        header, *rows = table.rows
        order = rows_in_order(rows, self._order_bits)
        if order != sorted(order):
            table = replace(table, rows=(header, *(rows[place] for place in order)))
            self.put_in_order += len(rows)
        self._append(ProseBlock("table", table.written(), table.rows))

    def _fence(self, lines: list[str], at: int, match: re.Match[str]) -> int:
        self._close()
        closing = [n for n in range(at + 1, len(lines)) if lines[n].strip().startswith(match[1])]
        language = _WRITTEN.get(match[2].lower(), match[2].lower())
        if not closing or language not in self._code:
            self.issue = fail(Text.of("airlock.text-fence"), Text.of("airlock.text-fence-fix"), lines=[at + 1])
            return 1
        read = self._code[language]("\n".join(lines[at + 1 : closing[0]]))
        if isinstance(read, Issue):
            self.issue = read
        else:
            self._append(ProseBlock("code", (f"```{language}", *read, "```")))
        return closing[0] - at + 1
