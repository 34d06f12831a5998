"""SQL (查询语句): read into its words and signs, and written with a line a clause and blanks where they belong."""

from __future__ import annotations

import re

from credit.messages import Text
from lab.airlock.issue import Issue, fail
from lab.airlock.kinds.texts.spelling import prose_line

_TOKEN = re.compile(
    r"(?P<comment>--[^\n]*|/\*.*?\*/)|(?P<text>'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\")|(?P<word>\w+)|(?P<number>\d+\.\d+)"
    r"|(?P<sign>::|<=|>=|<>|!=|\|\||->>?|[-+*/%=<>().,;:\[\]{}?!@^&~$|])|(?P<blank>\s+)|(?P<odd>.)",
    re.S,
)
_CLAUSE = {
    "select", "from", "where", "group", "order", "having", "limit", "union", "with", "join", "left", "right", "inner",
    "full", "cross", "qualify", "window",
}  # fmt: skip
_TWO_WORDS = {"join": ("left", "right", "inner", "full", "cross", "outer", "asof", "semi", "anti")}
_BEFORE_BRACKET = {
    "in", "and", "or", "not", "values", "over", "as", "from", "join", "on", "where", "select", "when", "then", "exists",
    "using", "with", "by", "filter", "else", "union", "all", "having",
}  # fmt: skip
_TIGHT_BEFORE, _TIGHT_AFTER = set(").,;]"), set("(.[")


def sql_lines(text: str) -> tuple[str, ...] | Issue:
    """The lines of SQL, given in plain characters, in the one form in which it leaves; else the issue."""
    lines: list[str] = []
    line, before = "", ""

    def end() -> None:
        nonlocal line, before
        if line:
            lines.append(line)
        line, before = "", ""

    for match in _TOKEN.finditer(text):
        kind, token = str(match.lastgroup), match[0]
        if kind == "blank":
            continue
        if kind == "odd":
            return fail(Text.of("airlock.code-sql"), Text.of("airlock.code-sql-fix"))
        if kind == "comment":
            end()
            words = prose_line(re.sub(r"\*/$|^/\*|^-+", "", token))
            if words:
                lines.append(f"-- {words}")
            continue
        if kind == "text":
            token = re.sub(r"\s+", " ", token)
        word = token.lower()
        if kind == "word" and word in _CLAUSE and before.lower() not in _TWO_WORDS.get(word, ()):
            end()
        tight = not before or token in _TIGHT_BEFORE or before in _TIGHT_AFTER or (token == "(" and _calls(before))
        line += token if tight else f" {token}"
        before = token
    end()
    return tuple(lines)


def _calls(before: str) -> bool:
    """True for a name before a bracket, which calls it."""
    return bool(re.fullmatch(r"\w+", before)) and before.lower() not in _BEFORE_BRACKET
