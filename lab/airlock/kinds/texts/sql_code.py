"""SQL (查询语句): read into its words and signs, and written with a line a clause and blanks where they belong."""

from __future__ import annotations

import re

from credit.messages import Text
from lab.airlock.issue import Issue, fail
from lab.airlock.kinds.texts.spelling import prose_line
from lab.airlock.kinds.texts.sql_parsing import parses

_TOKEN = re.compile(
    r"(?P<comment>--[^\n]*|/\*.*?\*/)|(?P<text>'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\")|(?P<word>\w+)|(?P<number>\d+\.\d+)"
    r"|(?P<sign>::|<=|>=|<>|!=|\|\||->>?|[-+*/%=<>().,;:\[\]{}?!@^&~|])|(?P<blank>\s+)|(?P<odd>.)",
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
_KEYWORDS = {  # reserved in the grammar of DuckDB, or read as such where they stand
    "select", "from", "where", "group", "order", "having", "limit", "union", "with", "join", "left", "right", "inner",
    "full", "cross", "qualify", "window", "outer", "asof", "semi", "anti", "in", "and", "or", "not", "values", "over",
    "as", "on", "when", "then", "exists", "using", "by", "filter", "else", "all", "case", "end", "between", "like",
    "ilike", "is", "null", "distinct", "asc", "desc", "interval", "create", "replace", "table", "view", "insert",
    "into", "delete", "update", "set", "drop", "if", "partition", "rows", "range", "preceding", "following",
    "unbounded", "current", "row", "cast", "try_cast", "except", "intersect", "offset", "nulls", "first", "last",
    "true", "false",
}  # fmt: skip
_TIGHT_BEFORE, _TIGHT_AFTER = set(").,;]"), set("(.[")


def sql_lines(text: str) -> tuple[str, ...] | Issue:
    """The lines of SQL, given in plain characters, in the one form in which it leaves; else the issue."""
    lines: list[str] = []
    line, before = "", ""
    spelled: dict[str, str] = {}

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
        if kind == "word":  # capitals mean nothing: a keyword has them, and a name is written as it is the first time
            token = word.upper() if word in _KEYWORDS else spelled.setdefault(word, token)
        if kind == "word" and word in _CLAUSE and before.lower() not in _TWO_WORDS.get(word, ()):
            end()
        tight = not before or token in _TIGHT_BEFORE or before in _TIGHT_AFTER or (token == "(" and _calls(before))
        line += token if tight else f" {token}"
        before = token
    end()
    if lines and not parses("\n".join(lines)):
        return fail(Text.of("airlock.code-sql-parse"), Text.of("airlock.code-sql-parse-fix"))
    return tuple(lines)


def _calls(before: str) -> bool:
    """True for a name before a bracket, which calls it."""
    return bool(re.fullmatch(r"\w+", before)) and before.lower() not in _BEFORE_BRACKET
