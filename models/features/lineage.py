"""Which tables stand behind a feature: read off its SQL, so that nobody types it and nobody forgets it.

The text was checked already (:mod:`models.features.feature_sql`). A value depends on the tables of the columns it
names, through
subqueries; one that names none, such as ``count(*)``, depends on all that its SELECT reads.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlglot
from sqlglot import exp

OURS = frozenset({"subject", "as_of"})  # columns of every view, which say nothing of a record
OBSERVATION = "observation"
Tables = frozenset[str]
Columns = Mapping[str, Tables]
Source = tuple[Tables, Columns | None]  # all it reads, and per column; None: a table itself


def tables_behind(sql: str) -> dict[str, list[str]]:
    """For each column that the query gives, without ``subject``, the tables it is made of, sorted."""
    found = _select(sqlglot.parse_one(sql, dialect="duckdb"), {})
    return {name: sorted(tables) for name, tables in found.items() if name not in OURS}


def _select(tree: Any, outer: Mapping[str, Source]) -> dict[str, Tables]:
    known = dict(outer)
    for cte in tree.ctes:
        known[cte.alias_or_name.lower()] = _read(cte.this, known)
    sources: dict[str, Source] = {}
    for node in [tree.args.get("from_") or tree.args.get("from"), *(tree.args.get("joins") or [])]:
        if node is None:
            continue
        source = node.this
        name = source.alias_or_name.lower()
        if isinstance(source, exp.Subquery):
            sources[name] = _read(source.this, known)
        else:
            table = source.name.lower()
            own: Source = (frozenset() if table == OBSERVATION else frozenset({table}), None)
            sources[name] = known.get(table, own)
    return {each.alias_or_name.lower(): _behind(each, sources) for each in tree.expressions}


def _read(tree: Any, known: Mapping[str, Source]) -> Source:
    columns = _select(tree, known)
    whole = frozenset[str]().union(*columns.values()) if columns else frozenset[str]()
    return whole, columns


def _behind(value: Any, sources: Mapping[str, Source]) -> Tables:
    """The tables behind one value of a SELECT."""
    named = [column for column in value.find_all(exp.Column) if column.name.lower() not in OURS]
    if not named:
        of_subject = isinstance(value.unalias(), exp.Column)
        return frozenset().union(*(whole for whole, _ in sources.values())) if not of_subject else frozenset()
    found: Tables = frozenset()
    for column in named:
        held = [sources[column.table.lower()]] if column.table.lower() in sources else list(sources.values())
        for whole, columns in held:
            found |= whole if columns is None else columns.get(column.name.lower(), frozenset())
    return found
