"""The records that each column of feature SQL is derived from, column by column: its lineage (血缘).

The SQL has been checked already (:mod:`models.features.feature_sql`). A value derives from the columns it names,
through subqueries, and from whatever decides which rows there are to take it from: the tables of its SELECT that are
not joined from the left, their conditions and their groups. So ``count(*)`` of penalties derives from the rows of
penalties, and the capital of a firm, in a SELECT that is joined to loans, from the rows of loans as well. What cannot
be followed is refused: lineage fails closed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from credit.errors import Refused
from models.lineage.lineage import OBSERVATION, VIEW_COLUMNS

ROWS = "*"  # not a column: whether a table has rows of the subject, and how many


@dataclass(frozen=True, slots=True, order=True)
class Origin:
    """A column of a table, or with :data:`ROWS` the table's rows themselves."""

    table: str
    column: str


Origins = frozenset[Origin]
Tables = Mapping[str, frozenset[str]]  # the columns of each table, as far as they are known
_NONE: Origins = frozenset()


@dataclass(frozen=True, slots=True)
class _Source:
    """What one name in a FROM clause stands for: a table (``columns`` is None), or a subquery."""

    table: str
    rows: Origins
    columns: Mapping[str, Origins] | None
    has: frozenset[str] | None = None  # the columns of a table; None: not known

    def column(self, name: str) -> Origins | None:
        if name in VIEW_COLUMNS:
            return _NONE
        if self.columns is not None:
            return self.columns[name] | self.rows if name in self.columns else None
        if self.table == OBSERVATION or (self.has is not None and name not in self.has):
            return None
        return frozenset({Origin(self.table, name)}) | self.rows


def column_origins(sql: str, tables: Tables | None = None) -> dict[str, Origins]:
    """For each column of a checked query except ``subject`` and ``as_of``, the records it derives from.

    ``tables`` separates a column of a table from another output column of the same name. Raises :class:`Refused` when
    the lineage of a column cannot be followed.
    """
    try:
        tree = sqlglot.parse_one(sql, dialect="duckdb")
    except SqlglotError as error:
        raise Refused("origins.unknown", column="SELECT") from error
    if not isinstance(tree, exp.Select):
        raise Refused("origins.unknown", column="SELECT")
    columns = _Select(tree, {}, tables or {}).columns
    return {name: origins for name, origins in columns.items() if name not in VIEW_COLUMNS}


class _Select:
    """The lineage of one SELECT: ``columns`` of its output, and ``rows``: what decides which rows it gives."""

    def __init__(self, tree: exp.Select, outer: Mapping[str, _Source], tables: Tables) -> None:
        self._tables = tables
        known = dict(outer)
        for cte in tree.ctes:
            known[cte.alias_or_name.lower()] = _subquery(cte.this, known, tables)
        self._sources: dict[str, _Source] = {}
        self._output = {each.alias_or_name.lower(): each.unalias() for each in tree.expressions}
        first, rows = _NONE, _NONE
        for node in (tree.args.get("from_") or tree.args.get("from"), *(tree.args.get("joins") or ())):
            if node is None:
                raise Refused("origins.unknown", column="FROM")
            source = self._source(node.this, known)
            self._sources[node.this.alias_or_name.lower()] = source
            rows |= source.rows
            if not (isinstance(node, exp.Join) and (node.side or "").upper() == "LEFT"):
                first |= source.rows
        conditions = _NONE
        for clause in ("where", "having", "qualify", "group", "distinct"):
            if (node := tree.args.get(clause)) is not None:
                conditions |= self._of(node)
        counted = any(value.find(exp.AggFunc, exp.Window) for value in self._output.values())
        aggregates = counted or tree.args.get("group") is not None
        if tree.args.get("distinct") is not None:
            conditions |= frozenset().union(*(self._of(each) for each in self._output.values()))
        # Rows joined from the left change no value of a row, but how often it is counted.
        decided = conditions | (rows if aggregates else first)
        self.columns = {name: self._of(value) | decided for name, value in self._output.items() if name != "subject"}
        self.rows = conditions | rows

    def _source(self, node: Any, known: Mapping[str, _Source]) -> _Source:
        if isinstance(node, exp.Subquery):
            return _subquery(node.this, known, self._tables)
        if not isinstance(node, exp.Table):
            raise Refused("origins.unknown", column=type(node).__name__)
        name = node.name.lower()
        if name in known:
            return known[name]
        return _Source(
            name, _NONE if name == OBSERVATION else frozenset({Origin(name, ROWS)}), None, self._tables.get(name)
        )

    def _of(self, value: Any, seen: frozenset[str] = frozenset()) -> Origins:
        """What a value or a clause names."""
        origins = _NONE
        for column in value.find_all(exp.Column):
            name, table = column.name.lower(), column.table.lower()
            if name in VIEW_COLUMNS:
                continue
            sources = [self._sources[table]] if table in self._sources else [] if table else self._sources.values()
            origins_of_name = [each for each in (source.column(name) for source in sources) if each is not None]
            if not table and name in self._output and name not in seen and not _is(self._output[name], name):
                origins_of_name.append(
                    self._of(self._output[name], seen | {name})
                )  # another output column of this SELECT
            if not origins_of_name:
                raise Refused("origins.unknown", column=name)
            origins |= frozenset().union(*origins_of_name)
        return origins


def _is(value: Any, name: str) -> bool:
    return isinstance(value, exp.Column) and value.name.lower() == name


def _subquery(tree: Any, known: Mapping[str, _Source], tables: Tables) -> _Source:
    if not isinstance(tree, exp.Select):
        raise Refused("origins.unknown", column=type(tree).__name__)
    select = _Select(tree, known, tables)
    return _Source("", select.rows, select.columns)
