"""The rules of feature SQL within one SELECT: which tables, columns, joins, groups and windows it may name.

A SELECT is checked from the inside out: its CTEs and subqueries first, then its own clauses. The reason for each rule
is given in :mod:`models.features.feature_sql`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NoReturn

from sqlglot import exp

from credit.errors import Malformed
from credit.messages import Text
from models.features import sql_whitelist
from models.order.suggest import hint

SUBJECT = "subject"
Source = tuple[str | None, frozenset[str]]  # the table (None: a subquery), and its columns


def refuse(why: Text, remedy: Text | None = None, *, what: str = "feature-sql.refused") -> NoReturn:
    """Raise :class:`Malformed` with the reason and a remedy; ``what`` is the id of the message."""
    raise Malformed(what, why=why, remedy=remedy)


class SelectReader:
    """Checks SELECTs from the inside out; ``used`` collects the columns that are read, by table."""

    def __init__(self, tables: Mapping[str, frozenset[str]], granted: frozenset[str]) -> None:
        self.tables, self.granted = tables, granted
        self.used: dict[str, set[str]] = {}

    def select(self, tree: exp.Select, outer: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
        """Check one SELECT, given the columns of the CTEs it may name; its output columns. Raises
        :class:`Malformed`."""
        for key, value in tree.args.items():
            if value and key not in _CLAUSES:
                refuse(Text.of("feature-sql.syntax-not-allowed", syntax=key.upper().strip("_")))
        ctes = dict(outer)
        if (with_clause := tree.args.get("with_") or tree.args.get("with")) is not None:
            if with_clause.args.get("recursive"):
                refuse(Text.of("feature-sql.recursive"))
            for cte in with_clause.expressions:
                name = cte.alias.lower()
                if name in self.tables or name in self.granted or name in ctes:
                    refuse(Text.of("feature-sql.with-name-taken", name=name), Text.of("feature-sql.own-name"))
                if cte.args["alias"].columns or not isinstance(cte.this, exp.Select):
                    refuse(Text.of("feature-sql.with-not-select", name=name), Text.of("feature-sql.name-columns"))
                ctes[name] = self.select(cte.this, ctes)
        sources = self._sources(tree, ctes)
        output = self._output(tree)
        for column in _nodes_of_select(tree, exp.Column):
            self._column(column, sources, output)
        self._grouping(tree)
        return tuple(output)

    def _sources(self, tree: exp.Select, ctes: Mapping[str, tuple[str, ...]]) -> dict[str, Source]:
        first = tree.args.get("from_") or tree.args.get("from")
        if first is None:
            refuse(Text.of("feature-sql.no-table-read"), Text.of("feature-sql.begin-from"))
        sources: dict[str, Source] = {}
        for place in (first, *(tree.args.get("joins") or ())):
            name, table, columns = self._source(place.this, ctes)
            if name in sources:
                refuse(Text.of("feature-sql.two-tables", name=name), Text.of("feature-sql.give-alias"))
            if isinstance(place, exp.Join):
                self._join(place, name, sources)
            sources[name] = (table, columns)
        return sources

    def _source(
        self, node: exp.Expression, ctes: Mapping[str, tuple[str, ...]]
    ) -> tuple[str, str | None, frozenset[str]]:
        alias = node.args.get("alias")
        if alias is not None and alias.columns:
            refuse(Text.of("feature-sql.alias-renames"), Text.of("feature-sql.name-in-select"))
        if any(value for key, value in node.args.items() if key not in ("this", "alias", "db", "catalog", "joins")):
            refuse(Text.of("feature-sql.more-than-name"))
        if node.args.get("joins"):
            refuse(Text.of("feature-sql.joins-in-brackets"), Text.of("feature-sql.join-in-turn"))
        if isinstance(node, exp.Subquery) and isinstance(node.this, exp.Select):
            if not node.alias:
                refuse(Text.of("feature-sql.no-alias"))
            return node.alias.lower(), None, frozenset(self.select(node.this, ctes))
        if not isinstance(node, exp.Table) or not isinstance(node.this, exp.Identifier) or node.db or node.catalog:
            refuse(Text.of("feature-sql.outside-tables"), Text.of("feature-sql.read-granted"))
        name = node.name.lower()
        called = (node.alias or node.name).lower()
        if name in ctes:
            return called, None, frozenset(ctes[name])
        if name in self.tables:
            self.used.setdefault(name, set())
            return called, name, self.tables[name]
        if name in self.granted:
            refuse(Text.of("feature-sql.no-dates", name=name), Text.of("feature-sql.needs-dates"))
        refuse(Text.of("feature-sql.not-granted", name=name), hint(name, {*self.tables, *ctes}))

    def _join(self, join: exp.Join, name: str, before: Mapping[str, Any]) -> None:
        if (join.side or "").upper() not in ("", "LEFT") or (join.kind or "").upper() not in ("", "INNER", "OUTER"):
            refuse(
                Text.of("feature-sql.join-not-allowed", join=f"{join.side} {join.kind}".strip().upper()),
                Text.of("feature-sql.write-left-join"),
            )
        if any(value for key, value in join.args.items() if key not in ("this", "side", "kind", "on", "using")):
            refuse(Text.of("feature-sql.join-kind"), Text.of("feature-sql.write-left-join"))
        using, on = [part.name.lower() for part in join.args.get("using") or ()], join.args.get("on")
        if using == [SUBJECT] and on is None:
            return
        sides = []
        if not using and isinstance(on, exp.EQ):
            sides = [side for side in (on.this, on.expression) if _is_subject(side) and side.table]
        tables = [side.table.lower() for side in sides]
        if len(tables) != 2 or name not in tables or not any(each in before for each in tables if each != name):
            refuse(Text.of("feature-sql.join-on-subject", name=name), Text.of("feature-sql.write-using"))

    def _output(self, tree: exp.Select) -> dict[str, exp.Expression]:
        output: dict[str, exp.Expression] = {}
        for each in tree.expressions:
            name = each.alias_or_name.lower()
            if not name or not isinstance(each, (exp.Alias, exp.Column)):
                refuse(Text.of("feature-sql.column-no-name"), Text.of("feature-sql.write-as"))
            if name in output:
                refuse(Text.of("feature-sql.column-twice", name=name))
            if name == SUBJECT and not _is_subject(each.unalias()):
                refuse(Text.of("feature-sql.subject-other"), Text.of("feature-sql.subject-alone"))
            if name != SUBJECT and _is_subject(each.unalias()):
                refuse(Text.of("feature-sql.subject-renamed"), Text.of("feature-sql.keep-name"))
            output[name] = each
        if SUBJECT not in output:
            refuse(Text.of("feature-sql.no-subject"), Text.of("feature-sql.give-subject"))
        return output

    def _column(self, column: exp.Column, sources: Mapping[str, Any], output: Mapping[str, Any]) -> None:
        name, table = column.name.lower(), column.table.lower()
        if len(column.parts) > 2 or (table and table not in sources):
            refuse(Text.of("feature-sql.nothing-called", column=column.sql()), hint(table, sources))
        holders = [called for called in ([table] if table else sources) if name in sources[called][1]]
        if not holders:
            if not table and name in output and name != SUBJECT and not _is_within(column, output[name]):
                return  # another output column of this SELECT
            known = {each for called in ([table] if table else sources) for each in sources[called][1]}
            refuse(Text.of("feature-sql.no-column", column=column.sql()), hint(name, known))
        if len(holders) > 1 and name != SUBJECT:
            refuse(
                Text.of("feature-sql.ambiguous", name=name, tables=" and ".join(holders)),
                Text.of("feature-sql.write-qualified", table=holders[0], name=name),
            )
        for holder in holders:
            if (real := sources[holder][0]) is not None:
                self.used[real].add(name)
        if name == SUBJECT and not _subject_is_itself(column):
            refuse(Text.of("feature-sql.made-of-subject"), Text.of("feature-sql.subject-uses"))

    def _grouping(self, tree: exp.Select) -> None:
        group = tree.args.get("group")
        if group is not None and any(value for key, value in group.args.items() if key != "expressions"):
            refuse(Text.of("feature-sql.grouping"), Text.of("feature-sql.write-group-by"))
        keys = [] if group is None else group.expressions
        aggregates = [node for node in _nodes_of_select(tree, exp.Expression) if _aggregates(node)]
        if (aggregates or keys or tree.args.get("having")) and not any(map(_is_subject, keys)):
            refuse(Text.of("feature-sql.not-grouped"), Text.of("feature-sql.write-group-by"))
        for distinct in _nodes_of_select(tree, exp.Distinct):
            if distinct.args.get("on"):
                refuse(Text.of("feature-sql.distinct-on"), Text.of("feature-sql.write-arg-max"))
        for window in _nodes_of_select(tree, exp.Window):
            if not any(map(_is_subject, window.args.get("partition_by") or ())):
                refuse(Text.of("feature-sql.window-subject"), Text.of("feature-sql.write-over"))
            if window.args.get("first") is False or window.alias:
                refuse(Text.of("feature-sql.named-windows"))
        for node in _nodes_of_select(tree, exp.Expression):
            if type(node).__name__ in sql_whitelist.WINDOW_ONLY and not isinstance(node.parent, exp.Window):
                refuse(Text.of("feature-sql.not-a-window", call=node.sql()), Text.of("feature-sql.write-over"))


_CLAUSES = frozenset(
    {"expressions", "from", "from_", "joins", "where", "group", "having", "distinct", "with", "with_", "qualify"}
)


def _nodes_of_select(tree: exp.Select, kind: type[Any]) -> Iterator[Any]:
    """The nodes of this SELECT itself, without those of nested SELECTs."""
    for node in tree.walk(prune=lambda node: node is not tree and isinstance(node, (exp.Select, exp.With))):
        if isinstance(node, kind) and (node is tree or not isinstance(node, exp.Select)):
            yield node


def _is_within(column: exp.Column, output: exp.Expression) -> bool:
    """True when a column stands in the expression of an output column, which it cannot be made of itself."""
    node: exp.Expression | None = column
    while node is not None and node is not output:
        node = node.parent
    return node is output


def _is_subject(node: Any) -> bool:
    return bool(isinstance(node, exp.Column) and node.name.lower() == SUBJECT)


def _subject_is_itself(column: exp.Column) -> bool:
    parent = column.parent
    if isinstance(parent, exp.Alias):
        parent = parent.parent
    if isinstance(parent, (exp.Select, exp.Group, exp.Join)):
        return True
    if isinstance(parent, exp.Window):
        return bool(column.arg_key == "partition_by")
    return bool(isinstance(parent, exp.EQ) and isinstance(parent.parent, exp.Join))


def _aggregates(node: Any) -> bool:
    if type(node).__name__ not in sql_whitelist.AGGREGATES:
        return False
    parent = node.parent.parent if isinstance(node.parent, exp.Filter) else node.parent
    return not isinstance(parent, exp.Window)
