"""The constants and operations that shape the values of features (取值常量), as a person chose them.

A constant in a condition decides which records count; any other one can be read in the values, and so in the cuts of a
model's trees.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlglot import exp

from models.features.sql_parser import parse

_CONDITIONS = (exp.Predicate, exp.Connector, exp.Where, exp.Having, exp.Qualify, exp.Join)
_OPERATIONS = (
    exp.Add, exp.Sub, exp.Mul, exp.Div, exp.IntDiv, exp.Mod, exp.Pow, exp.Exp, exp.Ln, exp.Log, exp.Sqrt, exp.Abs,
    exp.Sign, exp.Length, exp.Round, exp.Floor, exp.Ceil, exp.Interval,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class ChosenValues:
    """Numbers and texts outside conditions, in the order of the SQL, and how many operations there are."""

    numbers: tuple[str, ...]
    texts: tuple[str, ...]
    operations: int


def values_chosen(sql: str, known: frozenset[str] = frozenset()) -> ChosenValues:
    """What SQL that was checked chooses in values; raises :class:`~credit.errors.Malformed` for another text.

    A SELECT whose whole text is ``known``, as :func:`spelled` gives it, chooses nothing.
    """
    tree = parse(sql, statement=True)
    free = {id(node) for node in tree.find_all(exp.Select) if known and _spelled(node) in known}
    literals = [node for node in tree.find_all(exp.Literal) if not _in_condition(node) and not _within(node, free)]
    operations = sum(not _in_condition(node) and not _within(node, free) for node in tree.find_all(*_OPERATIONS))
    return ChosenValues(
        tuple(str(node.this) for node in literals if not node.is_string),
        tuple(str(node.this) for node in literals if node.is_string),
        operations,
    )


def spelled(sql: str) -> str:
    """The one spelling of a SELECT, whatever stands around it."""
    return _spelled(parse(sql, statement=True))


def _spelled(node: exp.Expression) -> str:
    return str(node.sql(dialect="duckdb", comments=False))


def _within(node: exp.Expression, selects: set[int]) -> bool:
    """True for a node below one of these SELECTs."""
    parent: exp.Expression | None = node
    while parent is not None:
        if id(parent) in selects:
            return True
        parent = parent.parent
    return False


def _in_condition(node: exp.Expression) -> bool:
    """True for a node within a condition of its own SELECT: what it chooses is which records count."""
    child, parent = node, node.parent
    while parent is not None and not isinstance(parent, exp.Select):
        if isinstance(parent, _CONDITIONS) or (isinstance(parent, exp.If) and parent.args.get("this") is child):
            return True
        child, parent = parent, parent.parent
    return False
