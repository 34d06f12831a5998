"""The check of feature SQL (特征语句): one SELECT over as-of views in which every value belongs to one subject.

The text is parsed and checked against lists of what is allowed (:mod:`models.features.sql_whitelist`), and then written
out again from the tree. Only that new text runs, so nothing runs that the parser did not see. Every aggregate is
grouped
by ``subject``, every join is on ``subject``, every window is within ``subject``, and ``subject`` is never part of an
expression; so no value of one subject can come from the rows of another. This module needs no DuckDB: a notebook checks
with the same code as the compute zone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from credit.messages import Text
from credit.release_rights import rights_of_tables
from credit.usage_rights import UsageRight
from models.features.sql_parser import read_condition, read_query, texts_of
from models.features.sql_scopes import SUBJECT as SUBJECT
from models.features.sql_scopes import refuse
from models.features.value_choices import ChosenValues as ChosenValues
from models.features.value_choices import spelled as spelled
from models.features.value_choices import values_chosen as values_chosen
from models.order.suggest import hint as hint

if TYPE_CHECKING:
    from models.order.order import Order

OBSERVATION = "observation"
AS_OF = "as_of"
CURRENT_COLUMNS = (
    "status",
    "ended_on",
)  # of the population table: they show the state of today, not that of the observation day
REGISTER_COLUMNS = ("kind", "registered_on")  # the columns that a register of subjects must have
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
    """A checked boolean expression over the columns of one table."""

    sql: str
    columns: frozenset[str]


def check(sql: str, schema: Schema, *, population: str | None = None) -> FeatureQuery:
    """Check feature SQL against the granted tables of a release.

    ``schema`` maps each table to its columns and types, as in the terms of a release. A table without ``_happened``
    has no
    dates and is refused unless it is the ``population``. Raises :class:`Malformed` with the reason and the nearest
    name.
    """
    text, used, output = read_query(sql, visible_columns(schema, population), frozenset(schema) | {OBSERVATION})
    tables = {name: columns - {SUBJECT, AS_OF} for name, columns in used.items() if name != OBSERVATION}
    return FeatureQuery(text, tables, tuple(name for name in output if name != SUBJECT))


def check_condition(sql: str, columns: Mapping[str, str], *, table: str = "the table") -> Condition:
    """Check a boolean expression over one table's columns, such as a label's ``when``; raises :class:`Malformed`."""
    known = frozenset(name.lower() for name in columns if not name.startswith("_") and name != SUBJECT)
    return Condition(*read_condition(sql, known, table))


def check_order(order: Order, terms: Mapping[str, Any]) -> FeatureQuery:
    """Check a whole order against a release's terms: tables, SQL, label and feature names; raises
    :class:`Malformed`."""
    tables = terms["tables"]
    for name in dict.fromkeys((*order.tables, order.label.table, *([order.population] if order.population else []))):
        if name not in tables:
            refuse(Text.of("feature-sql.no-table", name=name), hint(name, tables), what=_ORDER_DOES_NOT_FIT)
    label_table = tables[order.label.table]
    if not label_table["dated"]:
        refuse(Text.of("feature-sql.label-no-dates", name=order.label.table), what=_ORDER_DOES_NOT_FIT)
    check_condition(order.label.when, label_table["columns"], table=order.label.table)
    # Only a register may be read without regard to time: any other table would show the future.
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


def written_order(order: Order, terms: Mapping[str, Any]) -> Order:
    """The order as it travels: its SQL and its label's condition as they were parsed and written out again.

    Comments, spacing and spelling of the researcher stay behind. Writing it twice changes nothing. Raises
    :class:`Malformed` where the order does not fit the release's ``terms``.
    """
    query = check_order(order, terms)
    columns = terms["tables"][order.label.table]["columns"]
    when = check_condition(order.label.when, columns, table=order.label.table).sql
    return replace(order, sql=query.sql, label=replace(order.label, when=when))


def order_rights(order: Order, terms: Mapping[str, Any]) -> frozenset[UsageRight]:
    """The usage rights of all that an order reads of a release: the tables of its SQL, its register and its label.

    ``terms`` are all that the seal of the release says. Raises :class:`Malformed` where the order does not fit, and
    :class:`~credit.errors.Refused` for a table whose right is not known.
    """
    read = {*check_order(order, terms).tables, order.label.table, *([order.population] if order.population else [])}
    return rights_of_tables(read, terms)


def order_words(order: Order) -> tuple[list[str], list[str]]:
    """The literals and the identifiers of the SQL and of the label's condition of an order that was checked."""
    literals, names = texts_of(order.sql)
    more_literals, more_names = texts_of(order.label.when, statement=False)
    return [*literals, *more_literals], [*names, *more_names]


def visible_columns(schema: Schema, population: str | None) -> dict[str, frozenset[str]]:
    """The columns that feature SQL may name, by table: those of the release and ``as_of``.

    Columns with a leading underscore, and columns that show today's state only, are left out.
    """
    hidden = set(CURRENT_COLUMNS)
    tables = {OBSERVATION: frozenset({SUBJECT, AS_OF})}
    for name, columns in schema.items():
        if name == population or "_happened" in columns:
            granted = {column.lower() for column in columns if not column.startswith("_")}
            hidden = set(CURRENT_COLUMNS) if name == population else set()
            tables[name] = frozenset((granted - hidden) | {SUBJECT, AS_OF})
    return tables
