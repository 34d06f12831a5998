"""The door to sqlglot: SQL text to a tree, the syntax held against what is let in, and scopes walked.

What each rule is for is told in :mod:`models.features.feature_sql`, which is what others call.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, NoReturn

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from credit.errors import Malformed
from models.features import sql_whitelist
from models.order.suggest import hint

SUBJECT = "subject"
LONGEST = 50_000  # characters
_LET_IN = (
    sql_whitelist.GRAMMAR
    | sql_whitelist.OPERATORS
    | sql_whitelist.AGGREGATES
    | sql_whitelist.WINDOW_ONLY
    | sql_whitelist.FUNCTIONS
)
Source = tuple[str | None, frozenset[str]]  # the real table behind (None: a subquery), and its columns


def read_query(
    sql: str, tables: Mapping[str, frozenset[str]], granted: frozenset[str]
) -> tuple[str, dict[str, frozenset[str]], tuple[str, ...]]:
    """A checked SELECT written anew, the columns it reads by table, and those it gives.

    ``tables`` are the columns that can be named, ``granted`` all names a CTE may not take.
    """
    text, used, output = _read(sql, frozenset(tables.items()), granted)
    return text, dict(used), output


@lru_cache(maxsize=64)  # every bucket of a release asks the same; what is refused is read again
def _read(
    sql: str, tables: frozenset[tuple[str, frozenset[str]]], granted: frozenset[str]
) -> tuple[str, tuple[tuple[str, frozenset[str]], ...], tuple[str, ...]]:
    tree = _parse(sql, statement=True)
    if not isinstance(tree, exp.Select):
        why = sql_whitelist.FORBIDDEN.get(type(tree).__name__, "it takes exactly one SELECT")
        refuse(why, "Begin with SELECT or WITH")
    _syntax(tree, _LET_IN)
    reader = _Reader(dict(tables), granted)
    output = reader.select(tree, {})
    return _text(tree), tuple((name, frozenset(columns)) for name, columns in reader.used.items()), output


def read_condition(sql: str, known: frozenset[str], table: str) -> tuple[str, frozenset[str]]:
    """A checked truth value over columns of one table, written anew, and those it reads."""
    tree = _parse(sql, statement=False)
    _syntax(tree, sql_whitelist.CONDITION)
    used = set()
    for column in tree.find_all(exp.Column):
        if len(column.parts) > 1 or column.name.lower() not in known:
            refuse(f"{table} has no column {column.sql()}", hint(column.name, known))
        used.add(column.name.lower())
    if not used:
        refuse("the condition reads no column", f"Take one of {table}'s columns")
    return _text(tree), frozenset(used)


def refuse(why: str, remedy: str = "", *, what: str = "The feature SQL is refused") -> NoReturn:
    """Raise :class:`Malformed`."""
    raise Malformed(what, why=why, remedy=remedy)


def _parse(sql: str, *, statement: bool) -> exp.Expression:
    if len(sql) > LONGEST:
        refuse(f"it has more than {LONGEST} characters")
    try:
        if not statement:
            return sqlglot.parse_one(sql, dialect="duckdb", into=exp.Condition)
        trees = [tree for tree in sqlglot.parse(sql, dialect="duckdb") if tree is not None]
    except RecursionError:
        refuse("it is nested too deep")
    except SqlglotError as error:
        told = getattr(error, "errors", None)
        refuse(f"line {told[0]['line']}: {told[0]['description']}" if told else "it cannot be parsed")
    if len(trees) != 1:
        refuse(f"it is {len(trees)} statements", "Send one SELECT")
    return trees[0]


def _text(tree: exp.Expression) -> str:
    try:
        return str(tree.sql(dialect="duckdb", comments=False, pretty=True))
    except RecursionError:
        refuse("it is nested too deep")


def _syntax(tree: exp.Expression, let_in: frozenset[str]) -> None:
    """Every node is let in by its kind; functions get the nearest name as a hint."""
    for node in tree.walk():
        kind = type(node).__name__
        if isinstance(node, exp.Star) and kind in let_in and isinstance(node.parent, exp.Count):
            continue
        if kind not in let_in or isinstance(node, exp.Star):
            if isinstance(node, exp.Anonymous):
                refuse(f"the function {node.name.lower()} is not let in", hint(node.name, sql_whitelist.FUNCTION_NAMES))
            if isinstance(node, exp.Func):
                name = node.sql_name().lower()
                refuse(
                    sql_whitelist.FORBIDDEN.get(kind, f"the function {name} is not let in"),
                    hint(name, sql_whitelist.FUNCTION_NAMES),
                )
            refuse(sql_whitelist.FORBIDDEN.get(kind, f"{kind.upper()} is not let in"))
        if isinstance(node, exp.DataType) and node.this.value not in sql_whitelist.TYPES:
            refuse(f"the type {node.this.value} is not let in", hint(node.this.value, sql_whitelist.TYPES))
        if isinstance(node, exp.Subquery) and not isinstance(node.parent, (exp.From, exp.Join)):
            refuse(sql_whitelist.FORBIDDEN["Exists"])
        if isinstance(node, exp.Select) and node.parent and not isinstance(node.parent, (exp.Subquery, exp.CTE)):
            refuse(sql_whitelist.FORBIDDEN["Exists"])


class _Reader:
    """Walks scopes from the inside out; ``used`` gathers the columns read by table."""

    def __init__(self, tables: Mapping[str, frozenset[str]], granted: frozenset[str]) -> None:
        self.tables, self.granted = tables, granted
        self.used: dict[str, set[str]] = {}

    def select(self, tree: exp.Select, outer: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
        """Check one SELECT, with CTEs in sight by name; its output columns. Raises :class:`Malformed`."""
        for key, value in tree.args.items():
            if value and key not in _CLAUSES:
                refuse(f"{key.upper().strip('_')} is not let in")
        ctes = dict(outer)
        if (together := tree.args.get("with_") or tree.args.get("with")) is not None:
            if together.args.get("recursive"):
                refuse("WITH RECURSIVE is not let in")
            for cte in together.expressions:
                name = cte.alias.lower()
                if name in self.tables or name in self.granted or name in ctes:
                    refuse(f"the name {name} in WITH is taken by a table", "Give it a name of its own")
                if cte.args["alias"].columns or not isinstance(cte.this, exp.Select):
                    refuse(f"{name} in WITH is not one SELECT", "Name its columns in the SELECT")
                ctes[name] = self.select(cte.this, ctes)
        sources = self._sources(tree, ctes)
        output = self._output(tree)
        for column in _within(tree, exp.Column):
            self._column(column, sources, output)
        self._grouping(tree)
        return tuple(output)

    def _sources(self, tree: exp.Select, ctes: Mapping[str, tuple[str, ...]]) -> dict[str, Source]:
        first = tree.args.get("from_") or tree.args.get("from")
        if first is None:
            refuse("a SELECT reads no table", "Begin FROM observation o")
        sources: dict[str, Source] = {}
        for place in (first, *(tree.args.get("joins") or ())):
            name, table, columns = self._source(place.this, ctes)
            if name in sources:
                refuse(f"two tables are called {name}", "Give one an alias")
            if isinstance(place, exp.Join):
                self._join(place, name, sources)
            sources[name] = (table, columns)
        return sources

    def _source(
        self, node: exp.Expression, ctes: Mapping[str, tuple[str, ...]]
    ) -> tuple[str, str | None, frozenset[str]]:
        alias = node.args.get("alias")
        if alias is not None and alias.columns:
            refuse("columns are renamed in an alias", "Name them in the SELECT")
        if any(value for key, value in node.args.items() if key not in ("this", "alias", "db", "catalog", "joins")):
            refuse("a table is read with more than its name and an alias")
        if node.args.get("joins"):
            refuse("joins in brackets are not let in", "Join tables one after another")
        if isinstance(node, exp.Subquery) and isinstance(node.this, exp.Select):
            if not node.alias:
                refuse("a subquery has no alias")
            return node.alias.lower(), None, frozenset(self.select(node.this, ctes))
        if not isinstance(node, exp.Table) or not isinstance(node.this, exp.Identifier) or node.db or node.catalog:
            refuse("table functions, files and other schemas are not let in", "Read a granted table by its name")
        name = node.name.lower()
        called = (node.alias or node.name).lower()
        if name in ctes:
            return called, None, frozenset(ctes[name])
        if name in self.tables:
            self.used.setdefault(name, set())
            return called, name, self.tables[name]
        if name in self.granted:
            refuse(f"the table {name} has no dates", "What has no date can never be a feature of an earlier day")
        refuse(f"the table {name} is not granted", hint(name, {*self.tables, *ctes}))

    def _join(self, join: exp.Join, name: str, before: Mapping[str, Any]) -> None:
        if (join.side or "").upper() not in ("", "LEFT") or (join.kind or "").upper() not in ("", "INNER", "OUTER"):
            refuse(
                f"a {f'{join.side} {join.kind}'.strip().upper()} JOIN is not let in",
                "Write LEFT JOIN … USING (subject)",
            )
        if any(value for key, value in join.args.items() if key not in ("this", "side", "kind", "on", "using")):
            refuse("this kind of join is not let in", "Write LEFT JOIN … USING (subject)")
        using, on = [part.name.lower() for part in join.args.get("using") or ()], join.args.get("on")
        if using == [SUBJECT] and on is None:
            return
        sides = []
        if not using and isinstance(on, exp.EQ):
            sides = [side for side in (on.this, on.expression) if _is_subject(side) and side.table]
        tables = [side.table.lower() for side in sides]
        if len(tables) != 2 or name not in tables or not any(each in before for each in tables if each != name):
            refuse(f"{name} is joined on something else than subject", "Write USING (subject)")

    def _output(self, tree: exp.Select) -> dict[str, exp.Expression]:
        output: dict[str, exp.Expression] = {}
        for each in tree.expressions:
            name = each.alias_or_name.lower()
            if not name or not isinstance(each, (exp.Alias, exp.Column)):
                refuse("a column of the answer has no name", "Write … AS name")
            if name in output:
                refuse(f"two columns are called {name}")
            if name == SUBJECT and not _is_subject(each.unalias()):
                refuse("something else is called subject", "subject is the subject, and nothing is made of it")
            if name != SUBJECT and _is_subject(each.unalias()):
                refuse("subject is given another name", "Leave it its name")
            output[name] = each
        if SUBJECT not in output:
            refuse("a SELECT does not give subject", "Every SELECT gives subject, and is joined on it")
        return output

    def _column(self, column: exp.Column, sources: Mapping[str, Any], output: Mapping[str, Any]) -> None:
        name, table = column.name.lower(), column.table.lower()
        if len(column.parts) > 2 or (table and table not in sources):
            refuse(f"nothing is called {column.sql()}", hint(table, sources))
        holders = [called for called in ([table] if table else sources) if name in sources[called][1]]
        if not holders:
            if not table and name in output and name != SUBJECT:
                return  # another column of the same answer
            known = {each for called in ([table] if table else sources) for each in sources[called][1]}
            refuse(f"there is no column {column.sql()}", hint(name, known))
        if len(holders) > 1 and name != SUBJECT:
            refuse(f"{name} is in {' and '.join(holders)}", f"Write {holders[0]}.{name}")
        for holder in holders:
            if (real := sources[holder][0]) is not None:
                self.used[real].add(name)
        if name == SUBJECT and not _subject_is_itself(column):
            refuse("something is made of subject", "It stands alone: selected, grouped, partitioned or joined by")

    def _grouping(self, tree: exp.Select) -> None:
        group = tree.args.get("group")
        if group is not None and any(value for key, value in group.args.items() if key != "expressions"):
            refuse("GROUP BY ALL, ROLLUP and GROUPING SETS are not let in", "Write GROUP BY subject")
        keys = [] if group is None else group.expressions
        aggregates = [node for node in _within(tree, exp.Expression) if _aggregates(node)]
        if (aggregates or keys or tree.args.get("having")) and not any(map(_is_subject, keys)):
            refuse("an aggregate is not grouped by subject", "Write GROUP BY subject")
        for distinct in _within(tree, exp.Distinct):
            if distinct.args.get("on"):
                refuse("DISTINCT ON is not let in", "Write arg_max(value, day)")
        for window in _within(tree, exp.Window):
            if not any(map(_is_subject, window.args.get("partition_by") or ())):
                refuse("a window is not within a subject", "Write OVER (PARTITION BY subject …)")
            if window.args.get("first") is False or window.alias:
                refuse("named windows are not let in")
        for node in _within(tree, exp.Expression):
            if type(node).__name__ in sql_whitelist.WINDOW_ONLY and not isinstance(node.parent, exp.Window):
                refuse(f"{node.sql()} is not a window", "Write OVER (PARTITION BY subject …)")


_CLAUSES = frozenset(
    {"expressions", "from", "from_", "joins", "where", "group", "having", "distinct", "with", "with_", "qualify"}
)


def _within(tree: exp.Select, kind: type[Any]) -> Iterator[Any]:
    """Nodes of this SELECT itself, not of those within it."""
    for node in tree.walk(prune=lambda node: node is not tree and isinstance(node, (exp.Select, exp.With))):
        if isinstance(node, kind) and (node is tree or not isinstance(node, exp.Select)):
            yield node


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
