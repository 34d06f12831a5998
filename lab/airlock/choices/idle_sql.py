"""Choices of SQL that mean the same (同义写法): signs, words and brackets with no effect.

A query reads alike with ``<>`` or ``!=``, with or without ``AS``, and no reader stops at either. A writer of
one habit costs little, one who changes at every place is charged in full.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from lab.airlock.words.adaptive_code import AdaptiveCode

_SIGNS = {"<>": "not equal", "!=": "not equal", "==": "equal", "=": "equal", "::": "cast"}
_TOKEN = re.compile(r"--[^\n]*|'(?:[^']|'')*'|\"(?P<quoted>\w+)\"|\w+|<>|!=|==|::|[^\w\s]")
_NOT_NAMES = {
    "and", "or", "not", "as", "is", "in", "on", "then", "else", "end", "when", "case", "from", "where", "by", "having",
    "qualify", "asc", "desc", "between", "like", "ilike", "over", "filter", "select", "distinct", "union", "all",
    "group", "order", "limit", "join", "left", "right", "full", "inner", "outer", "cross", "asof", "semi", "anti",
    "using", "nulls", "interval", "with", "values", "except", "intersect", "offset", "create", "insert", "into",
    "delete", "update", "drop", "exists", "window", "partition", "exclude", "try_cast", "cast",
}  # fmt: skip
_BINDING: tuple[tuple[type[exp.Expr], ...], ...] = (  # from the weakest sign to the strongest
    (exp.Or,), (exp.And,), (exp.Not,), (exp.Predicate,), (exp.Add, exp.Sub), (exp.Mul, exp.Div, exp.Mod),
)  # fmt: skip
_SURROUNDING = (
    exp.Select, exp.Where, exp.Having, exp.Qualify, exp.Group, exp.Ordered, exp.Order, exp.Alias, exp.Func, exp.If,
    exp.Join, exp.Filter, exp.Distinct, exp.Tuple,
)  # fmt: skip
_STRONGEST = len(_BINDING) + 1
_NUMBER = re.compile(r"\d+(?:\.\d+)?")
_UNITS = {"year", "quarter", "month", "week", "day", "hour", "minute", "second"}


def charge_sql(code: AdaptiveCode, lines: tuple[str, ...]) -> None:
    """Charge the choices of a text of SQL, given in the form in which it leaves."""
    for context, choice in _choices("\n".join(lines)):
        code.add(f"sql {context}", choice)


def _choices(text: str) -> Iterator[tuple[str, str]]:
    yield from _of_tokens(text)
    yield from _of_order(text)
    trees = _trees(text)
    yield from _of_brackets(trees)
    yield from _of_repeated_signs(trees)


def _trees(text: str) -> list[exp.Expr]:
    try:
        return [tree for tree in sqlglot.parse(text, dialect="duckdb") if tree is not None]
    except (SqlglotError, RecursionError, ValueError):
        return []  # such a text does not leave


def _of_tokens(text: str) -> Iterator[tuple[str, str]]:
    """Signs and words that could stand otherwise, in order."""
    before, earlier, clause = "", "", ""
    ever_quoted: set[str] = set()
    for match in _TOKEN.finditer(text):
        token, quoted = match[0].lower(), match["quoted"]
        if token.startswith("--"):
            continue
        if token in _SIGNS:
            yield _SIGNS[token], token
        elif token in ("cast", "try_cast"):
            yield "cast", token
        elif token == "join" and before not in ("cross", "asof", "semi", "anti"):
            yield "join", before if before in ("inner", "outer") else "alone"
        elif (token == ";" and before == ";") or (token in (")", "from") and before == ","):
            yield "idle", token
        elif (name := quoted or token).isidentifier() and name not in _NOT_NAMES:
            if quoted or name in ever_quoted:
                yield "quotes", "quoted" if quoted else "bare"
                ever_quoted.add(name)
            is_alias = before == "as" or ((before == ")" or before.isidentifier()) and before not in _NOT_NAMES)
            if is_alias and token not in _UNITS and earlier != "interval":
                yield f"alias after {clause}", "as" if before == "as" else "none"
        clause = token if token in ("select", "from", "join", "with") else clause
        earlier, before = before, token


def _of_order(text: str) -> Iterator[tuple[str, str]]:
    """Whether the order that holds anyway is written."""
    for clause in re.findall(r"(?i)\border by ([^()\n;]*(?:\([^()\n]*\)[^()\n;]*)*)", text):
        for item in clause.split(","):
            word = item.split()[-1].lower() if item.split() else ""
            if word != "desc":
                yield "ascending", "asc" if word == "asc" else "none"


def _of_brackets(trees: list[exp.Expr]) -> Iterator[tuple[str, str]]:
    """Whether brackets without need stand around an expression; those that are needed are no choice."""
    for tree in trees:
        for node in tree.dfs():
            if isinstance(node, exp.Paren | exp.Identifier):
                continue
            parent, depth = node.parent, 0
            while isinstance(parent, exp.Paren):
                parent, depth = parent.parent, depth + 1
            idle = depth - (depth > 0 and _strength(node) <= _strength_around(parent))
            yield "brackets", f"{idle} idle"


def _of_repeated_signs(trees: list[exp.Expr]) -> Iterator[tuple[str, str]]:
    """Whether the sign between two values is the one that stood between them before; numbers count as one value."""
    before: dict[str, str] = {}
    for tree in trees:
        for node in tree.find_all(exp.Binary):
            left = node.left.right if isinstance(node.left, exp.Binary) else node.left
            values, sign = _NUMBER.sub("0", f"{left.sql()} ? {node.right.sql()}"), type(node).__name__
            if (last := before.get(values)) is not None:
                yield "sign", "same" if last == sign else f"changed to {sign}"
            before[values] = sign


def _strength(node: exp.Expr | None) -> int:
    """How strongly the sign of an expression binds; what has no sign, as a name, binds most."""
    return next((n for n, kinds in enumerate(_BINDING, start=1) if isinstance(node, kinds)), _STRONGEST)


def _strength_around(node: exp.Expr | None) -> int:
    """How strongly an expression binds what stands in it; a clause and a call do not at all."""
    strength = _strength(node)
    if strength < _STRONGEST or not isinstance(node, _SURROUNDING) or isinstance(node, exp.Cast):
        return strength
    return 0
