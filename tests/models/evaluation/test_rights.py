"""No evaluation reads a table of the market, by whatever SQL; an order that reads one serves banks alone."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from credit.errors import CreditError, Refused
from credit.usage_rights import EVALUATION_USES, LENDING_USE, UsageRight, permits
from models.evaluation.query import check_evaluation
from models.evaluation.shipped import KINDS, evaluation_of
from models.features.feature_sql import order_rights
from models.order.order import built_in
from tests.models import world
from tests.models.evaluation.small_evaluation import declaration, family, indicator, measure
from tests.models.order.test_declarations import granted

PUBLIC, MARKET = ("penalty", "registration"), ("loan", "invoice")
COLUMNS = {
    "penalty": ["fine", "severity"],
    "registration": ["district", "kind"],
    "loan": ["overdue_days"],
    "invoice": ["amount"],
}


def terms() -> dict[str, Any]:
    """The tiny release, with a second table of the market."""
    whole = world.terms(purpose="scoring")
    invoice = whole["tables"]["loan"] | {"columns": {"subject": "VARCHAR", "amount": "DOUBLE", **world.TIMES}}
    return whole | {"tables": whole["tables"] | {"invoice": invoice}}


tables = st.sampled_from(sorted(COLUMNS))
shapes = st.sampled_from(
    [
        "count({0})",
        "max(CASE WHEN {0} IS NULL THEN 0 ELSE 1 END)",
        "count(*)",
        "count(DISTINCT {0}) FILTER (WHERE {0} IS NOT NULL)",
        "min(CAST({0} IS NULL AS INTEGER)) * 0",
        "0 * count({0}) + 1",
    ]
)


@st.composite
def measures(draw: Any) -> tuple[dict[str, Any], str]:
    """A measure over one table, with the table that it reads."""
    table = draw(tables)
    sql = draw(shapes).format(draw(st.sampled_from(COLUMNS[table])))
    return measure(f"m{draw(st.integers(0, 999))}", table, sql, each=-1, floor=-5), table


@pytest.mark.attack
@settings(deadline=None)
@given(st.lists(measures(), min_size=1, max_size=5, unique_by=lambda pair: pair[0]["code"]), st.booleans())
def test_an_evaluation_is_refused_where_any_measure_reads_the_market(
    drawn: list[tuple[dict[str, Any], str]], as_facts: bool
) -> None:
    from models.scoring.evaluation.declaration import read_evaluation

    read = {table for _, table in drawn}
    scored = [each for each, _ in drawn]
    facts = [{key: each[key] for key in each if key not in ("each", "floor")} for each in scored]
    first = measure("first", "penalty", "count(*)", each=-1, floor=-5)
    inside = [family("law", indicator("one", [first] if as_facts else [first, *scored], floor=-50, cap=0))]
    evaluation = read_evaluation(declaration(families=inside, facts=facts if as_facts else [], rules=[]))
    if read & set(MARKET):
        with pytest.raises(Refused, match="usage right"):
            check_evaluation(evaluation, terms())
    else:
        assert check_evaluation(evaluation, terms()).rights == {UsageRight.CREDIT_EVALUATION}


@pytest.mark.attack
@pytest.mark.parametrize(
    "sql",
    [
        "count(*) + (SELECT max(overdue_days) FROM loan)",
        "max(l.overdue_days)",
        "count(*) FILTER (WHERE subject IN (SELECT subject FROM loan))",
        "max(fine)) FROM penalty), x AS (SELECT subject, max(overdue_days) AS y FROM loan GROUP BY subject",
        "count(*) AS a FROM loan GROUP BY subject), g9 AS (SELECT subject, count(*)",
        'max("overdue_days")',
    ],
)
def test_a_measure_reaches_no_other_table_than_it_names(sql: str) -> None:
    from models.scoring.evaluation.declaration import read_evaluation

    sneaky = [family("law", indicator("one", [measure("m", "penalty", sql, each=-1, floor=-5)], floor=-5, cap=0))]
    evaluation = read_evaluation(declaration(families=sneaky, facts=[], rules=[]))
    with pytest.raises(CreditError):
        check_evaluation(evaluation, terms())


@pytest.mark.parametrize("kind", KINDS)
def test_the_shipped_evaluations_read_public_tables_alone(kind: str) -> None:
    from credit.catalogue import Catalogue

    city = Catalogue.load("city")
    described = granted(city, "scoring")
    whole = {"tables": {name: {**each, "usage": city.tables[name].usage} for name, each in described.items()}}  # type: ignore[dict-item]
    checked = check_evaluation(evaluation_of(kind), whole)
    assert checked.rights == {UsageRight.CREDIT_EVALUATION}
    assert not {table for tables in checked.sources.values() for table in tables if city.tables[table].market}
    assert {"loan_performance", "invoice"} <= set(built_in(kind).tables), "the lending model reads the market"
    rights = order_rights(built_in(kind), whole)
    assert rights == {UsageRight.CREDIT_EVALUATION, UsageRight.JOINT_MODELLING}
    assert permits(rights, LENDING_USE)
    assert not any(permits(rights, use) for use in EVALUATION_USES)


def test_a_label_of_the_market_makes_a_model_of_the_market() -> None:
    sql = "SELECT o.subject, count(p.fine) AS fines FROM observation o LEFT JOIN penalty p USING (subject) GROUP BY 1"
    feature = {"name": "fines", "title": "罚款", "direction": 0, "reason": {"zh": "罚款", "en": "fines"}}
    order = world.order(
        tables=["registration", "penalty"],
        features=[feature],
        rules=[],
        sql=sql.replace("GROUP BY 1", "GROUP BY o.subject"),
    )
    assert UsageRight.JOINT_MODELLING in order_rights(order, world.terms())
