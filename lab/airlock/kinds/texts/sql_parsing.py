"""Whether a text is SQL (语法检查): statements that sqlglot parses in DuckDB's dialect, the one that the lab runs.

Signs in any order would be a way to write data. A statement that the parser only passes on (a command) is none.
"""

from __future__ import annotations

import logging

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

_STATEMENTS = (
    exp.Query, exp.DDL, exp.DML, exp.Drop, exp.Func, exp.Predicate, exp.Filter, exp.Window, exp.Binary, exp.Case,
)  # fmt: skip
_SILENT = logging.getLogger("sqlglot")


def parses(text: str) -> bool:
    """True for one or more statements, or a condition or a computed column as documents show them."""
    before, _SILENT.disabled = _SILENT.disabled, True  # it warns of what it does not know, which is refused here
    try:
        trees = [tree for tree in sqlglot.parse(text, dialect="duckdb") if tree is not None]
        return bool(trees) and all(isinstance(tree, _STATEMENTS) and tree.find(exp.Command) is None for tree in trees)
    except (SqlglotError, RecursionError, ValueError, AttributeError, IndexError, TypeError):
        return False
    finally:
        _SILENT.disabled = before
