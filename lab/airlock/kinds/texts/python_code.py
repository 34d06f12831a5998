"""Python code (代码): read by Python's own parser and written from its tree, with the comments before their statements.

Blank lines, indentation, blanks in a line, brackets, quotes, the spelling of numbers and where a line is broken are
those of :func:`ast.unparse`, so none of them is a choice of the writer.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from dataclasses import dataclass, field

from credit.messages import Text
from lab.airlock.issue import Issue, fail
from lab.airlock.kinds.texts.spelling import plain_characters, prose_line

_CLAUSES = ("else", "elif", "except", "finally", "case")
_MAGIC = re.compile(r"(?m)^([%!]\S.*)$")
_NO_PYTHON = re.compile(r"\s*%%(?!time\b|timeit\b|capture\b)")
_SIGN = "\u2588"  # marks a comment while the code is parsed; no text that may leave contains it
_MARK = re.compile(rf"""(\s*)(?:'|\"\"\"){_SIGN}(.*?)(?:'|\"\"\")""")
_INSIDE = {"'": "\u2598", '"': "\u259d", "\\": "\u259a"}  # what a text cannot hold as it is, while the code is parsed
_TIMES = 3
_FAILURES = (SyntaxError, ValueError, RecursionError, MemoryError, SystemError, tokenize.TokenError, IndexError)


@dataclass
class _Logical:
    """A logical line: the rows it spans from 1, its indentation, its first word, and the comments in and behind it."""

    first: int
    last: int
    indent: str
    word: str
    comments: list[str] = field(default_factory=list)


def python_lines(code: str) -> tuple[str, ...] | Issue:
    """The lines of Python code, given in plain characters, in the one form in which it leaves; else the issue."""
    if _NO_PYTHON.match(code) or any(sign in code for sign in (_SIGN, *_INSIDE.values())):
        return fail(Text.of("airlock.code-magic"), Text.of("airlock.code-magic-fix"))
    try:
        written = _written(_MAGIC.sub(r"#\1", code))
        for _ in range(_TIMES):
            again = _written(written)
            if again == written:
                return tuple(written.split("\n")) if written else ()
            written = again
    except _FAILURES:
        return fail(Text.of("airlock.code-parse"), Text.of("airlock.code-parse-fix"))
    return fail(Text.of("airlock.code-form"), Text.of("airlock.code-form-fix"))


def _written(code: str) -> str:
    tree = ast.parse(_comments_as_statements(code))
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant):
            if isinstance(node.value, str) and not node.value.startswith(_SIGN):
                node.value = _text_constant(node.value)
            node.kind = None
    lines = ast.unparse(ast.fix_missing_locations(tree)).split("\n")
    return "\n".join(_comment_of(line) for line in lines if line.strip())


def _text_constant(value: str) -> str:
    """A text in code in one spelling: single blanks, and no blanks around a line's end."""
    lines = plain_characters(value).split("\n")
    if len(lines) == 1:
        return re.sub(r"[ \t]{2,}", " ", lines[0])
    kept = [re.sub(r"[ \t]+", " ", line).strip(" ") for line in lines]
    return "\n".join(line for n, line in enumerate(kept) if line or (0 < n < len(kept) - 1 and kept[n - 1]))


def _comment_of(line: str) -> str:
    match = _MARK.fullmatch(line)
    if match is None:
        return line
    text = match[2]
    for char, instead in _INSIDE.items():
        text = text.replace(instead, char)
    return f"{match[1]}# {text}"


def _comments_as_statements(code: str) -> str:
    """The code with each comment as a statement of its own before the line to which it belongs."""
    lines = code.split("\n")
    logical, rest = _logical_lines(code)
    before: dict[int, list[str]] = {}
    waiting: list[str] = []
    decorated: int | None = None
    for each in logical:
        comments = [*waiting, *each.comments]
        waiting = []
        if each.word in _CLAUSES:
            waiting = comments
            continue
        place = each.first if decorated is None else decorated
        before.setdefault(place, []).extend(each.indent + _statement(comment) for comment in comments)
        decorated = (each.first if decorated is None else decorated) if each.word == "@" else None
    written: list[str] = []
    for row, line in enumerate(lines, start=1):
        written += before.get(row, [])
        written.append(line)
    return "\n".join([*written, *(_statement(comment) for comment in (*waiting, *rest))])


def _statement(comment: str) -> str:
    text = prose_line(comment.lstrip("#"))
    for char, instead in _INSIDE.items():
        text = text.replace(char, instead)
    return f"'{_SIGN}{text}'"


def _logical_lines(code: str) -> tuple[list[_Logical], list[str]]:
    """The logical lines of code with the comments that belong to each, and the comments after the last."""
    logical: list[_Logical] = []
    pending: list[str] = []
    current: _Logical | None = None
    source = code.split("\n")
    for token in tokenize.generate_tokens(io.StringIO(code + "\n").readline):
        if token.type == tokenize.COMMENT:
            if token.string.strip("# \t"):
                pending.append(token.string)
        elif token.type in (tokenize.NL, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER):
            continue
        elif token.type == tokenize.NEWLINE:
            if current is not None:
                current.comments += pending
                pending = []
                logical.append(current)
            current = None
        elif current is None:
            row = token.start[0]
            line = source[row - 1]
            current = _Logical(row, row, line[: len(line) - len(line.lstrip())], token.string, pending)
            pending = []
    return logical, pending
