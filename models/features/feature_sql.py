"""The check of feature SQL (特征语句): one SELECT over as-of views in which every value belongs to one subject.

The text is parsed, held against lists of what is let in (:mod:`models.features.sql_whitelist`), and written anew
from the tree;
that new text is what runs, so nothing that the parser did not see can. Because every aggregating scope is grouped by
``subject``, every join is on ``subject``, every window is within ``subject``, and ``subject`` is only ever itself, no
value of one subject can come from another's rows. This module needs no DuckDB: a notebook checks with the very code of
the compute zone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from credit.messages import Text
from models.features.sql_parser import read_condition, read_query
from models.features.sql_scopes import SUBJECT as SUBJECT
from models.features.sql_scopes import refuse
from models.order.suggest import hint as hint

if TYPE_CHECKING:
    from models.order.order import Order

OBSERVATION = "observation"
AS_OF = "as_of"
CURRENT_COLUMNS = (
    "status",
    "ended_on",
)  # of the population table: what a register says today, and not what it said then
REGISTER_COLUMNS = ("kind", "registered_on")  # what a table must have to list who lives
_ORDER_DOES_NOT_FIT = "feature-sql.order-does-not-fit"
Schema = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class FeatureQuery:
    """Checked SQL: the text to run, the columns it reads by table, and the columns it gives (without ``subject``)."""

    sql: str
    tables: Mapping[str, frozenset[str]]
    output: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Condition:
    """A checked truth value over one table's columns."""

    sql: str
    columns: frozenset[str]


def check(sql: str, schema: Schema, *, population: str | None = None) -> FeatureQuery:
    """Check feature SQL against the granted tables of a release.

    ``schema`` maps each to its columns and types, as a release's terms tell; a table without ``_happened`` has no dates
    and is refused unless it is the ``population``. Raises :class:`Malformed` with the reason and the nearest name.
    """
    text, used, output = read_query(sql, visible_columns(schema, population), frozenset(schema) | {OBSERVATION})
    tables = {name: columns - {SUBJECT, AS_OF} for name, columns in used.items() if name != OBSERVATION}
    return FeatureQuery(text, tables, tuple(name for name in output if name != SUBJECT))


def check_condition(sql: str, columns: Mapping[str, str], *, table: str = "the table") -> Condition:
    """Check a truth value over one table's columns, as a label's ``when``; raises :class:`Malformed`."""
    known = frozenset(name.lower() for name in columns if not name.startswith("_") and name != SUBJECT)
    return Condition(*read_condition(sql, known, table))


def check_order(order: Order, terms: Mapping[str, Any]) -> FeatureQuery:
    """Hold a whole order against a release's terms: its tables, its SQL, its label and its features' names."""
    tables = terms["tables"]
    for name in dict.fromkeys((*order.tables, order.label.table, *([order.population] if order.population else []))):
        if name not in tables:
            refuse(Text.of("feature-sql.no-table", name=name), hint(name, tables), what=_ORDER_DOES_NOT_FIT)
    label_table = tables[order.label.table]
    if not label_table["dated"]:
        refuse(Text.of("feature-sql.label-no-dates", name=order.label.table), what=_ORDER_DOES_NOT_FIT)
    check_condition(order.label.when, label_table["columns"], table=order.label.table)
    # Only a register may be seen without regard to time: any other table would show what is yet to come.
    if order.population and not set(REGISTER_COLUMNS) <= set(tables[order.population]["columns"]):
        refuse(
            Text.of("feature-sql.no-register", name=order.population),
            Text.of("feature-sql.register-needs"),
            what=_ORDER_DOES_NOT_FIT,
        )
    schema = {name: tables[name]["columns"] for name in order.tables}
    query = check(order.sql, schema, population=order.population)
    for name in order.names:
        if name not in query.output:
            refuse(Text.of("feature-sql.no-feature", name=name), hint(name, query.output))
    if extra := set(query.output) - set(order.names):
        refuse(Text.of("feature-sql.undeclared", names=", ".join(sorted(extra))), Text.of("feature-sql.declare"))
    return query


def visible_columns(schema: Schema, population: str | None) -> dict[str, frozenset[str]]:
    """The columns feature SQL may name, by table: those of the release, ``as_of``, and none of our own or of today."""
    hidden = set(CURRENT_COLUMNS)
    tables = {OBSERVATION: frozenset({SUBJECT, AS_OF})}
    for name, columns in schema.items():
        if name == population or "_happened" in columns:
            granted = {column.lower() for column in columns if not column.startswith("_")}
            hidden = set(CURRENT_COLUMNS) if name == population else set()
            tables[name] = frozenset((granted - hidden) | {SUBJECT, AS_OF})
    return tables
