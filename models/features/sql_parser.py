"""Parsing of feature SQL by sqlglot: text to a tree, a check of its syntax, and the text written out again.

The reason for each rule is given in :mod:`models.features.feature_sql`, which other modules call.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from credit.messages import Text
from models.features import sql_whitelist
from models.features.sql_scopes import SelectReader, refuse
from models.order.suggest import hint

MAXIMUM_CHARACTERS = 50_000  # characters
_ALLOWED = (
    sql_whitelist.GRAMMAR
    | sql_whitelist.OPERATORS
    | sql_whitelist.AGGREGATES
    | sql_whitelist.WINDOW_ONLY
    | sql_whitelist.FUNCTIONS
)


def read_query(
    sql: str, tables: Mapping[str, frozenset[str]], granted: frozenset[str]
) -> tuple[str, dict[str, frozenset[str]], tuple[str, ...]]:
    """A checked SELECT written out again, the columns it reads by table, and the columns it gives.

    ``tables`` maps each table to the columns that may be named; ``granted`` are all names that a CTE must not take.
    Raises
    :class:`Malformed`.
    """
    text, used, output = _read(sql, frozenset(tables.items()), granted)
    return text, dict(used), output


@lru_cache(maxsize=64)  # every bucket of a release uses the same SQL; an exception is not cached
def _read(
    sql: str, tables: frozenset[tuple[str, frozenset[str]]], granted: frozenset[str]
) -> tuple[str, tuple[tuple[str, frozenset[str]], ...], tuple[str, ...]]:
    tree = parse(sql, statement=True)
    if not isinstance(tree, exp.Select):
        why = sql_whitelist.FORBIDDEN.get(type(tree).__name__, Text.of("feature-sql.one-select-exactly"))
        refuse(why, Text.of("feature-sql.begin-with-select"))
    _check_syntax(tree, _ALLOWED)
    reader = SelectReader(dict(tables), granted)
    output = reader.select(tree, {})
    return written(tree), tuple((name, frozenset(columns)) for name, columns in reader.used.items()), output


def read_condition(sql: str, known: frozenset[str], table: str) -> tuple[str, frozenset[str]]:
    """A checked boolean expression over columns of one table, written out again, and the columns it reads."""
    tree = parse(sql, statement=False)
    _check_syntax(tree, sql_whitelist.CONDITION)
    used = set()
    for column in tree.find_all(exp.Column):
        if len(column.parts) > 1 or column.name.lower() not in known:
            refuse(Text.of("feature-sql.table-no-column", table=table, column=column.sql()), hint(column.name, known))
        used.add(column.name.lower())
    if not used:
        refuse(Text.of("feature-sql.condition-no-column"), Text.of("feature-sql.take-a-column", table=table))
    return written(tree), frozenset(used)


def parse(sql: str, *, statement: bool) -> exp.Expression:
    """The tree of one statement, or of one condition; raises :class:`Malformed`."""
    if len(sql) > MAXIMUM_CHARACTERS:
        refuse(Text.of("feature-sql.too-long", limit=MAXIMUM_CHARACTERS))
    try:
        if not statement:
            return sqlglot.parse_one(sql, dialect="duckdb", into=exp.Condition)
        trees = [tree for tree in sqlglot.parse(sql, dialect="duckdb") if tree is not None]
    except RecursionError:
        refuse(Text.of("feature-sql.too-deep"))
    except SqlglotError as error:
        errors = getattr(error, "errors", None)
        refuse(
            Text.of("feature-sql.syntax", line=errors[0]["line"], description=errors[0]["description"])
            if errors
            else Text.of("feature-sql.not-parsed")
        )
    if len(trees) != 1:
        refuse(Text.of("feature-sql.statements", count=len(trees)), Text.of("feature-sql.send-one"))
    return trees[0]


def written(tree: exp.Expression) -> str:
    """A tree written out again, without comments; raises :class:`Malformed` for one that is nested too deeply."""
    try:
        return str(tree.sql(dialect="duckdb", comments=False, pretty=True))
    except RecursionError:
        refuse(Text.of("feature-sql.too-deep"))


def _check_syntax(tree: exp.Expression, allowed: frozenset[str]) -> None:
    """Raise :class:`Malformed` for a node whose kind is not allowed; for a function the nearest name is the hint."""
    for node in tree.walk():
        kind = type(node).__name__
        if isinstance(node, exp.Star) and kind in allowed and isinstance(node.parent, exp.Count):
            continue
        if kind not in allowed or isinstance(node, exp.Star):
            if isinstance(node, exp.Anonymous):
                refuse(
                    Text.of("feature-sql.function-not-allowed", name=node.name.lower()),
                    hint(node.name, sql_whitelist.FUNCTION_NAMES),
                )
            if isinstance(node, exp.Func):
                name = node.sql_name().lower()
                refuse(
                    sql_whitelist.FORBIDDEN.get(kind, Text.of("feature-sql.function-not-allowed", name=name)),
                    hint(name, sql_whitelist.FUNCTION_NAMES),
                )
            refuse(sql_whitelist.FORBIDDEN.get(kind, Text.of("feature-sql.syntax-not-allowed", syntax=kind.upper())))
        if isinstance(node, exp.DataType) and node.this.value not in sql_whitelist.TYPES:
            refuse(
                Text.of("feature-sql.type-not-allowed", type=node.this.value),
                hint(node.this.value, sql_whitelist.TYPES),
            )
        if isinstance(node, exp.Subquery) and not isinstance(node.parent, (exp.From, exp.Join)):
            refuse(sql_whitelist.FORBIDDEN["Exists"])
        if isinstance(node, exp.Select) and node.parent and not isinstance(node.parent, (exp.Subquery, exp.CTE)):
            refuse(sql_whitelist.FORBIDDEN["Exists"])


def texts_of(sql: str, *, statement: bool = True) -> tuple[list[str], list[str]]:
    """The literals and the identifiers of SQL that was checked, in the order of the text."""
    tree = parse(sql, statement=statement)
    literals = [str(node.this) for node in tree.find_all(exp.Literal)]
    return literals, [str(node.this) for node in tree.find_all(exp.Identifier)]
