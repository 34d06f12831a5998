"""The SQL of a table: one aggregate SELECT, split into the rows it reads and the statistics it makes of them.

Its columns are grouping expressions and ``count``, ``sum``, ``avg``, ``variance``, ``stddev``, ``median`` or
``quantile_cont`` of a column. The rows (a subject, its groups, the columns) are feature SQL and are checked as such
(:mod:`models.features.feature_sql`); the statistics are computed here and not by the database, so that the units behind
each are known. HAVING, windows, filters and conditions inside an aggregate would choose rows out of sight of the
grouping and are refused. What is written into a table as a label is a value of the records or ours: a text that the
SQL contains may be compared with, and is never an output; names of columns are ours.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from sqlglot import exp

from credit.messages import Text
from models.features.feature_sql import FeatureQuery, Schema, check
from models.features.sql_parser import parse, written
from models.features.sql_scopes import SUBJECT, refuse

REFUSED = "tables.refused"
GROUP, VALUE = "group_", "value_"  # the names of the columns that the rows have
LARGEST_CODE = 99  # a number that a CASE may give a group as its label
_CLAUSES = frozenset({"expressions", "from", "from_", "joins", "where", "group", "with", "with_"})
_FUNCTIONS: Mapping[type[exp.Expression], str] = {
    exp.Count: "count",
    exp.Sum: "sum",
    exp.Avg: "avg",
    exp.Variance: "variance",
    exp.VariancePop: "variance_pop",
    exp.Stddev: "stddev",
    exp.StddevSamp: "stddev",
    exp.StddevPop: "stddev_pop",
    exp.Median: "median",
    exp.PercentileCont: "quantile",
}
_COMPARING = (exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.In, exp.Like, exp.Between, exp.StartsWith)
_READING = (exp.Interval, exp.Cast, exp.TryCast, exp.TimestampTrunc, exp.DateTrunc, exp.DateDiff, exp.DateAdd)
SHARES = 20  # of a whole, in whose multiples a quantile may be requested
COLUMN_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")


@dataclass(frozen=True, slots=True)
class Measure:
    """One statistic of a table: its name in it, its function, the rows' column it is of (empty for a count of rows or
    subjects), the share below a quantile, and the name of that column as people know it."""

    name: str
    function: str
    column: str = ""
    share: float = 0.5
    of: str = ""

    @property
    def is_count(self) -> bool:
        """True for counts of rows, values or subjects."""
        return self.function in ("count", "subjects")


@dataclass(frozen=True, slots=True)
class TablePlan:
    """A checked table: its SQL written out again, the rows that it reads, its groups by name, and its statistics."""

    sql: str
    rows: FeatureQuery
    groups: tuple[str, ...]
    measures: tuple[Measure, ...]


def check_table(sql: str, schema: Schema, *, population: str | None, columns_at_most: int = 100) -> TablePlan:
    """Check the SQL of a table against the granted tables; raises :class:`Malformed` with the reason and a remedy."""
    tree = parse(sql, statement=True)
    if not isinstance(tree, exp.Select):
        refuse(Text.of("tables.one-select"), what=REFUSED)
    for key, value in tree.args.items():
        if value and key not in _CLAUSES:
            refuse(Text.of("tables.clause", clause=key.upper().strip("_")), Text.of("tables.use-where"), what=REFUSED)
    known = {name.lower() for columns in schema.values() for name in columns if not name.startswith("_")}
    plan = _Plan(tree, known)
    if not plan.measures:
        refuse(Text.of("tables.no-statistic"), Text.of("tables.add-count"), what=REFUSED)
    if len(plan.measures) + len(plan.groups) > columns_at_most:
        refuse(Text.of("tables.too-many-columns", most=columns_at_most), what=REFUSED)
    rows = tree.copy()
    rows.set("group", None)
    rows.set("expressions", [_subject(tree), *plan.row_columns])
    _require_no_text_out(rows)
    query = check(written(rows), schema, population=population)
    for expression, name in zip(tree.expressions, plan.order, strict=True):
        expression.replace(exp.alias_(expression.unalias().copy(), name))
    tree.set("group", exp.Group(all=True) if plan.groups else None)
    return TablePlan(written(tree), query, tuple(plan.groups), tuple(plan.measures))


def require_bounds_of_columns(plan: TablePlan, at_most: Iterable[str]) -> None:
    """Raise :class:`Malformed` for a bound of a column whose sum or mean the table does not have."""
    columns = {each.of for each in plan.measures if each.function in ("sum", "avg")}
    if any(name not in columns for name in at_most):
        refuse(
            Text.of("noise.bound-of-nothing"),
            Text.of("noise.bounds-of", names=", ".join(sorted(columns)) or "–"),
            what=REFUSED,
        )


class _Plan:
    """The groups and statistics of a tree; ``row_columns`` are the columns that its rows need beside the subject."""

    def __init__(self, tree: exp.Select, known: set[str]) -> None:
        self._known = known
        self.groups: list[str] = []
        self.measures: list[Measure] = []
        self.row_columns: list[exp.Expression] = []
        self.order: list[str] = []
        self._values: dict[str, str] = {}
        grouped = []
        for node in tree.expressions:
            inner = node.unalias()
            if type(inner) in _FUNCTIONS:
                self._measure(inner)
            elif isinstance(inner, exp.AggFunc):
                refuse(Text.of("tables.other-statistic", name=inner.key), Text.of("tables.offered"), what=REFUSED)
            elif inner.find(exp.AggFunc, exp.Window, exp.Filter) is not None:
                refuse(Text.of("tables.expression-of-statistics"), Text.of("tables.plain-statistic"), what=REFUSED)
            else:
                grouped.append((node.alias, inner))
                self._group(inner)
        _require_grouped(tree, grouped)

    def _group(self, inner: exp.Expression) -> None:
        column = inner if isinstance(inner, exp.Column) else inner.find(exp.Column)
        if inner.is_star or (column is not None and column.name.lower() == SUBJECT):
            refuse(Text.of("tables.shows-rows"), Text.of("tables.rows-instead"), what=REFUSED)
        if column is None:
            refuse(Text.of("tables.no-group"), what=REFUSED)
        name = self._own(column, f"{GROUP}{len(self.groups) + 1}")
        if not isinstance(inner, exp.Column):
            name = f"{name}_group"
        self.row_columns.append(exp.alias_(inner.copy(), f"{GROUP}{len(self.groups)}"))
        self.groups.append(self._unique(name))

    def _measure(self, inner: exp.Expression) -> None:
        function, argument = _FUNCTIONS[type(inner)], inner.this
        if isinstance(inner, exp.Count) and _is_all(argument):
            self.measures.append(Measure(self._unique("count"), "count"))
            return
        if isinstance(argument, exp.Distinct):
            only = argument.expressions
            if function != "count" or len(only) != 1 or not _is_subject(only[0]):
                refuse(Text.of("tables.distinct"), Text.of("tables.distinct-subject"), what=REFUSED)
            self.measures.append(Measure(self._unique("subjects"), "subjects"))
            return
        if not isinstance(argument, exp.Column) or argument.name.lower() == SUBJECT:
            refuse(Text.of("tables.not-a-column", function=function), Text.of("tables.in-subquery"), what=REFUSED)
        share = _share(inner) if function == "quantile" else 0.5
        of = self._own(argument, f"{VALUE}{len(self._values) + 1}")
        called = f"quantile_{f'{share:g}'.replace('.', '_')}" if function == "quantile" else function
        if (key := _plain(argument)) not in self._values:
            self._values[key] = f"{VALUE}{len(self._values)}"
            self.row_columns.append(exp.alias_(argument.copy(), self._values[key]))
        self.measures.append(Measure(self._unique(f"{called}_{of}"), function, self._values[key], share, of))

    def _own(self, column: exp.Column, otherwise: str) -> str:
        """The column's name where the release has one of that name; a name from the SQL is not ours to print."""
        name = column.name.lower()
        return name if name in self._known and COLUMN_NAME.fullmatch(name) else otherwise

    def _unique(self, name: str) -> str:
        unused, number = name, 2
        while unused in self.order:
            unused, number = f"{name}_{number}", number + 1
        self.order.append(unused)
        return unused


def _require_grouped(tree: exp.Select, grouped: list[tuple[str, exp.Expression]]) -> None:
    """Refuse a GROUP BY that is not exactly the columns shown that are no statistics."""
    group = tree.args.get("group")
    if group is None:
        if grouped:
            refuse(Text.of("tables.not-grouped"), Text.of("tables.group-by-all"), what=REFUSED)
        return
    if any(value for key, value in group.args.items() if key not in ("expressions", "all")):
        refuse(Text.of("tables.clause", clause="ROLLUP, CUBE, GROUPING SETS"), what=REFUSED)
    if group.args.get("all"):
        return
    names = {alias.lower(): _plain(inner) for alias, inner in grouped if alias}
    shown = {_plain(inner) for _, inner in grouped}
    keys = set()
    for each in group.expressions:
        text = _plain(each)
        if isinstance(each, exp.Literal) and not each.is_string and text.isdigit():
            place = int(text) - 1
            text = _plain(tree.expressions[place].unalias()) if place < len(tree.expressions) else text
        keys.add(names.get(text, text))
    if keys != shown:
        refuse(Text.of("tables.not-grouped"), Text.of("tables.group-by-all"), what=REFUSED)


def _require_no_text_out(tree: exp.Expression) -> None:
    """Refuse a literal that could reach the table as a label."""
    for node in tree.find_all(exp.Literal):
        parent = node.parent
        if node.is_string and not isinstance(parent, (*_COMPARING, *_READING)):
            refuse(Text.of("tables.text-out"), Text.of("tables.number-groups", most=LARGEST_CODE), what=REFUSED)
        given = isinstance(parent, exp.If) and node.arg_key == "true"
        given |= isinstance(parent, (exp.Case, exp.Coalesce)) and not isinstance(parent, exp.If)
        if given and not (str(node.this).isdigit() and int(node.this) <= LARGEST_CODE):
            refuse(Text.of("tables.large-code", most=LARGEST_CODE), what=REFUSED)
    for cast in tree.find_all(exp.Cast, exp.TryCast):
        if isinstance(cast.this, exp.Literal) and cast.this.is_string and cast.to.this != exp.DataType.Type.DATE:
            refuse(Text.of("tables.text-out"), Text.of("tables.number-groups", most=LARGEST_CODE), what=REFUSED)


def _plain(node: exp.Expression) -> str:
    return str(node.sql(dialect="duckdb", comments=False)).lower()


def _subject(tree: exp.Select) -> exp.Expression:
    first = tree.args.get("from_") or tree.args.get("from")
    name = first.this.alias_or_name if first is not None else ""
    return exp.column(SUBJECT, table=name or None)


def _is_subject(node: exp.Expression) -> bool:
    return isinstance(node, exp.Column) and node.name.lower() == SUBJECT


def _is_all(argument: exp.Expression) -> bool:
    return isinstance(argument, exp.Star) or (isinstance(argument, exp.Literal) and not argument.is_string)


def _share(inner: exp.Expression) -> float:
    """The share of a quantile; raises :class:`Malformed` unless it is a multiple of 0.05 between 0 and 1.

    It is a part of the column's name, so its digits would leave with the table, without a reviewer.
    """
    literal = inner.args.get("expression")
    try:
        share = float(literal.this) if isinstance(literal, exp.Literal) and not literal.is_string else -1.0
    except ValueError:
        share = -1.0
    if not 0 < share < 1 or round(share * SHARES) / SHARES != share:
        refuse(Text.of("tables.quantile"), what=REFUSED)
    return share


def columns_of(plan: TablePlan) -> Iterator[str]:
    """The names of a table's columns: its groups, then its statistics."""
    yield from plan.groups
    yield from (each.name for each in plan.measures)
