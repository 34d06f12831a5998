"""Observations (观察点): which subjects are observed on which days, and their outcomes.

Each function creates the table :data:`~models.features.views.OBSERVED` of one bucket, ordered by subject and day.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any, Protocol

from models.features.duckdb_engine import Engine, quote_identifier, quote_literal
from models.features.outcomes import OUTCOMES, create_outcomes
from models.features.views import OBSERVED, raw_table, visible_at
from models.order.order import Order
from models.order.spec import Label

GROUPS = ("district", "industry", "size", "age")  # columns of the register by which subjects are grouped
_GROUP_COLUMNS = {"district": "district", "industry": "industry", "size": "employees", "age": "registered_on"}
_YEARS = "date_diff('year', min({0}), min(o.as_of))"
_GROUP_SQL = {
    "district": "min(CAST({0} AS VARCHAR))",
    "industry": "min(CAST({0} AS VARCHAR))",
    "size": "CASE WHEN max({0}) < 10 THEN 'under 10' WHEN max({0}) < 100 THEN '10 to 99' ELSE '100 and more' END",
    "age": f"CASE WHEN {_YEARS} < 2 THEN 'under 2' WHEN {_YEARS} < 5 THEN '2 to 4' WHEN {_YEARS} < 10 THEN '5 to 9' "
    f"WHEN {_YEARS} >= 10 THEN '10 and more' END",
}


class ObservedKind(Protocol):
    """What an order and a public evaluation say of the subjects that they observe."""

    @property
    def subject_kind(self) -> str | None:
        """Subjects of this kind alone."""

    @property
    def population(self) -> str | None:
        """The register of subjects."""

    @property
    def tables(self) -> tuple[str, ...]:
        """The tables that are read."""


def usable_days(order: Order, as_of: date) -> tuple[date, ...]:
    """The observation days whose outcome was known when the release was made (``as_of``).

    A day before ``out_of_time_from`` is left out as well when its label window ends after that date: its outcome was
    not
    known then, so a model made at that time could not have learned from it.
    """
    months, border = order.label.window_months or 0, order.split.out_of_time_from
    known = [day for day in order.observe.days if add_months(day, months) + timedelta(order.label.settle_days) <= as_of]
    return tuple(day for day in known if border is None or day >= border or add_months(day, months) <= border)


def add_months(day: date, months: int) -> date:
    """The first of the month, ``months`` after the month of ``day``."""
    total = day.year * 12 + day.month - 1 + months
    return date(total // 12, total % 12 + 1, 1)


def observe_labelled(database: Engine, order: Order, terms: Mapping[str, Any]) -> None:
    """Create the observations with an outcome, periodic or at events; ``label`` is 0 or 1."""
    create_outcomes(database, order.label, terms)
    if order.observe.event:
        days = f"CAST(_happened - INTERVAL {order.observe.days_before} DAY AS DATE)"
        database.execute(
            f"CREATE TABLE _labelled AS SELECT subject AS key, {days} AS as_of, CAST(bool_or(met) AS TINYINT) AS label "
            f"FROM {OUTCOMES} WHERE met IS NOT NULL AND _happened IS NOT NULL GROUP BY ALL"
        )
    else:
        _label_periodic_days(database, order.label, usable_days(order, date.fromisoformat(terms["as_of"])))
    restriction = f"WHERE {_active_condition(order, 'l.key', 'l.as_of', today=False)}" if order.population else ""
    database.execute(
        f"CREATE TABLE {OBSERVED} AS SELECT row_number() OVER (ORDER BY key, as_of) - 1 AS number, key, as_of, label "
        f"FROM _labelled l {restriction} ORDER BY number"
    )


def _label_periodic_days(database: Engine, label: Label, days: tuple[date, ...]) -> None:
    _create_days(database, days)
    # Observation days are firsts of a month, so a window ends on one too, and dates that are rounded to months suffice.
    database.execute(
        "CREATE TABLE _labelled AS SELECT x.subject AS key, d.as_of, CAST(bool_or(x.met) AS TINYINT) AS label "
        f"FROM {OUTCOMES} x JOIN _days d ON x._happened >= d.as_of "
        f"AND x._happened < d.as_of + INTERVAL {label.window_months} MONTH WHERE x.met IS NOT NULL GROUP BY ALL"
    )
    if label.clear_months:
        database.execute(
            f"DELETE FROM _labelled l WHERE EXISTS (SELECT 1 FROM {OUTCOMES} x WHERE x.subject = l.key AND x.met "
            f"AND x._happened >= l.as_of - INTERVAL {label.clear_months} MONTH AND {visible_at('x', 'l.as_of')})"
        )


def observe_population(database: Engine, order: ObservedKind, as_of: date) -> None:
    """Create one observation of every active subject of the order's kind, on one day."""
    day = f"DATE '{as_of}'"
    if order.population:
        subjects_sql = f"SELECT DISTINCT subject AS key FROM {quote_identifier(raw_table(order.population))}"
        restriction = f"WHERE {_active_condition(order, 'e.key', day, today=True)}"
    else:
        # DISTINCT in each query: a UNION of a single query removes no duplicates.
        queries = [
            f"SELECT DISTINCT subject AS key FROM {quote_identifier(raw_table(t))} t WHERE {visible_at('t', day)}"
            for t in order.tables
        ]
        subjects_sql, restriction = " UNION ".join(queries), ""
    database.execute(
        f"CREATE TABLE {OBSERVED} AS SELECT row_number() OVER (ORDER BY key) - 1 AS number, key, {day} AS as_of "
        f"FROM ({subjects_sql}) e {restriction} ORDER BY number"
    )


def _create_days(database: Engine, days: tuple[date, ...]) -> None:
    listed = ", ".join(f"(DATE '{day}')" for day in days) or "(CAST(NULL AS DATE))"
    database.execute(f"CREATE TABLE _days AS SELECT as_of FROM (VALUES {listed}) AS d(as_of) WHERE as_of IS NOT NULL")


def settled_days(order: Order, days: tuple[date, ...], as_of: date) -> tuple[date, ...]:
    """Those of the days whose outcome was known on ``as_of``."""
    months, late = order.label.window_months or 0, timedelta(order.label.settle_days)
    return tuple(day for day in days if add_months(day, months) + late <= as_of)


def observe_days(
    database: Engine,
    order: Order,
    days: tuple[date, ...],
    labelled: Mapping[str, Any] | None,
    subjects: frozenset[str] | None = None,
) -> None:
    """Create one observation of every active subject of the order's kind on each of the days; ``label`` may be null.

    ``labelled`` are the terms of the release when outcomes are wanted, which an order with a label window alone has.
    ``subjects`` leaves all others out.
    """
    if labelled is not None:
        create_outcomes(database, order.label, labelled)
        _label_periodic_days(database, order.label, days)
    else:
        _create_days(database, days)
        database.execute("CREATE TABLE _labelled (key VARCHAR, as_of DATE, label TINYINT)")
    register = quote_identifier(raw_table(str(order.population)))
    listed = ", ".join(quote_literal(subject) for subject in sorted(subjects or ()))
    chosen = "" if subjects is None else f" AND e.key IN ({listed or quote_literal('')})"
    database.execute(
        f"CREATE TABLE {OBSERVED} AS SELECT row_number() OVER (ORDER BY e.key, d.as_of) - 1 AS number, e.key, d.as_of, "
        f"l.label FROM (SELECT DISTINCT subject AS key FROM {register}) e CROSS JOIN _days d "
        "LEFT JOIN _labelled l ON l.key = e.key AND l.as_of = d.as_of "
        f"WHERE {_active_condition(order, 'e.key', 'd.as_of', today=False)}{chosen} ORDER BY number"
    )


def population_columns(order: ObservedKind, terms: Mapping[str, Any]) -> frozenset[str]:
    """The columns of the population table that say which subjects are active, and in which groups they are."""
    columns = terms["tables"][order.population]["columns"] if order.population else {}
    return frozenset({"kind", "ended_on", "status", *_GROUP_COLUMNS.values()} & set(columns))


def register_groups(database: Engine, order: ObservedKind, terms: Mapping[str, Any]) -> dict[str, list[str]]:
    """The groups of each observation's subject by the register, in order: :data:`GROUPS`, as far as the register has
    them."""
    columns = terms["tables"][order.population]["columns"] if order.population else {}
    kinds = [kind for kind in GROUPS if _GROUP_COLUMNS[kind] in columns]
    if not kinds:
        return {}
    columns_sql = ", ".join(
        f"coalesce({_GROUP_SQL[kind].format(f'p.{quote_identifier(_GROUP_COLUMNS[kind])}')}, '')" for kind in kinds
    )
    register = quote_identifier(raw_table(str(order.population)))
    rows = database.fetch_rows(
        f"SELECT {columns_sql} FROM {OBSERVED} o LEFT JOIN {register} p ON p.subject = o.key "
        "GROUP BY o.number ORDER BY o.number"
    )
    return {kind: [str(row[place]) for row in rows] for place, kind in enumerate(kinds)}


def _active_condition(order: ObservedKind, key: str, day: str, *, today: bool) -> str:
    """SQL: the subject is of the right kind, was registered by the day, and had not ended by it.

    A research release may withhold the day on which a subject ended (k-anonymity). A subject with an outcome after
    the day
    was active on it; otherwise (``today``) the register's status decides.
    """
    assert order.population is not None
    ended = "p.ended_on > {0} OR (p.ended_on IS NULL" + (" AND p.status = '存续')" if today else ")")
    conditions = [f"p.subject = {key}", f"(p._happened IS NULL OR p._happened <= {day})", f"({ended.format(day)})"]
    if order.subject_kind:
        conditions.append(f"p.kind = {quote_literal(order.subject_kind)}")
    return f"EXISTS (SELECT 1 FROM {quote_identifier(raw_table(order.population))} p WHERE {' AND '.join(conditions)})"
