"""The tables that each feature is computed from, read from its SQL, so that no declaration is needed.

The SQL has been checked already (:mod:`models.features.feature_sql`). A value depends on the tables of the columns it
names, through subqueries; a value that names no column, such as ``count(*)``, depends on all tables of its SELECT.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlglot
from sqlglot import exp

VIEW_COLUMNS = frozenset({"subject", "as_of"})  # columns of every view, which come from no record
OBSERVATION = "observation"
Tables = frozenset[str]
Columns = Mapping[str, Tables]
Source = tuple[Tables, Columns | None]  # all tables it reads, and the tables by column (None: a table itself)


def source_tables(sql: str) -> dict[str, list[str]]:
    """For each column of the query except ``subject`` and ``as_of``, the tables it is computed from, sorted."""
    columns = _select(sqlglot.parse_one(sql, dialect="duckdb"), {})
    return {name: sorted(tables) for name, tables in columns.items() if name not in VIEW_COLUMNS}


def bank_features(sql: str, tables: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """The columns that a bank may state: those that no public table is behind.

    ``tables`` are the terms of a release; a table that does not say that it is of the market counts as public.
    """
    return sorted(
        name
        for name, sources in source_tables(sql).items()
        if all(tables.get(table, {}).get("market") is True for table in sources)
    )


def _select(tree: Any, outer: Mapping[str, Source]) -> dict[str, Tables]:
    known = dict(outer)
    for cte in tree.ctes:
        known[cte.alias_or_name.lower()] = _read_source(cte.this, known)
    sources: dict[str, Source] = {}
    for node in [tree.args.get("from_") or tree.args.get("from"), *(tree.args.get("joins") or [])]:
        if node is None:
            continue
        source = node.this
        name = source.alias_or_name.lower()
        if isinstance(source, exp.Subquery):
            sources[name] = _read_source(source.this, known)
        else:
            table = source.name.lower()
            own: Source = (frozenset() if table == OBSERVATION else frozenset({table}), None)
            sources[name] = known.get(table, own)
    return {each.alias_or_name.lower(): _tables_of_value(each, sources) for each in tree.expressions}


def _read_source(tree: Any, known: Mapping[str, Source]) -> Source:
    columns = _select(tree, known)
    all_tables = frozenset[str]().union(*columns.values()) if columns else frozenset[str]()
    return all_tables, columns


def _tables_of_value(value: Any, sources: Mapping[str, Source]) -> Tables:
    """The tables that one value of a SELECT is computed from."""
    named = [column for column in value.find_all(exp.Column) if column.name.lower() not in VIEW_COLUMNS]
    if not named:
        of_subject = isinstance(value.unalias(), exp.Column)
        return frozenset().union(*(all_tables for all_tables, _ in sources.values())) if not of_subject else frozenset()
    tables: Tables = frozenset()
    for column in named:
        candidates = [sources[column.table.lower()]] if column.table.lower() in sources else list(sources.values())
        for all_tables, columns in candidates:
            tables |= all_tables if columns is None else columns.get(column.name.lower(), frozenset())
    return tables
