"""The lineage of a column names every record that can change it, column by column, and fails closed."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credit.catalogue import Catalogue
from credit.errors import CreditError, Refused
from models.lineage.exposure import Exposure, catalogue_of, exposed_columns
from models.lineage.origins import column_origins
from models.order.order import load_declaration

DECLARATIONS = Path(__file__).parents[3] / "models" / "declarations"
TABLES = {"p": frozenset("xyzw"), "q": frozenset("x")}
CASES = {
    "SELECT subject, count(*) AS n FROM p GROUP BY subject": {"n": {"p.*"}},
    "SELECT o.subject, p.x AS x, 1 AS one FROM observation o LEFT JOIN p USING (subject)": {
        "x": {"p.*", "p.x"},
        "one": set(),
    },
    # An inner join decides which rows there are: who sees a value knows that there is a loan.
    "SELECT o.subject, p.x AS x FROM observation o LEFT JOIN p USING (subject) JOIN loan USING (subject)": {
        "x": {"p.*", "p.x", "loan.*"}
    },
    "SELECT subject, x FROM p WHERE y > 1": {"x": {"p.*", "p.x", "p.y"}},
    "SELECT subject, count(*) FILTER (WHERE z = 1) AS n FROM p GROUP BY subject, w": {"n": {"p.*", "p.z", "p.w"}},
    # Rows joined from the left are counted.
    "SELECT o.subject, count(*) AS n FROM observation o LEFT JOIN p USING (subject) GROUP BY o.subject": {"n": {"p.*"}},
    "WITH a AS (SELECT subject, max(x) AS m FROM p WHERE y = 2 GROUP BY subject) "
    "SELECT o.subject, a.m + 1 AS more FROM observation o LEFT JOIN a USING (subject)": {"more": {"p.*", "p.x", "p.y"}},
    "SELECT o.subject, t.z AS z FROM observation o LEFT JOIN "
    "(SELECT s.subject, max(s.y) AS z FROM (SELECT subject, x AS y FROM q) s GROUP BY s.subject) t USING (subject)": {
        "z": {"q.*", "q.x"}
    },
    "SELECT subject, x AS a, a + 1 AS b FROM p": {
        "a": {"p.*", "p.x"},
        "b": {"p.*", "p.x"},
    },  # an output column, by name
}


@pytest.mark.parametrize("sql", CASES, ids=range(len(CASES)))
def test_it_names_what_a_value_and_the_choice_of_rows_derive_from(sql: str) -> None:
    origins_by_name = {
        name: {f"{each.table}.{each.column}" for each in origins}
        for name, origins in column_origins(sql, TABLES).items()
    }
    assert origins_by_name == CASES[sql]


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 1 UNION SELECT 2",
        "SELECT subject, z.x AS x FROM p",
        "WITH a AS (SELECT subject, x FROM p) SELECT subject, y FROM a",
        "SELECT subject, x FROM (VALUES (1)) v",
        "not SQL at all (",
    ],
)
def test_what_cannot_be_followed_is_refused_in_words(sql: str) -> None:
    with pytest.raises(Refused) as refused:
        column_origins(sql)
    assert refused.value.what
    assert refused.value.text("what", "zh") != refused.value.what


@given(st.text(max_size=200))
def test_no_text_gives_anything_but_lineage_or_a_refusal(text: str) -> None:
    with suppress(CreditError):  # and nothing else
        assert isinstance(column_origins(f"SELECT {text}"), dict)


@pytest.mark.parametrize("model", ["enterprise", "individual_business"])
def test_every_column_of_a_built_in_recipe_has_the_exposure_of_its_one_source(model: str) -> None:
    order, catalogue = load_declaration(DECLARATIONS / f"{model}.yaml"), Catalogue.load("city")
    columns = exposed_columns(order.sql, catalogue)
    assert set(columns) == set(order.names)
    for column in columns.values():
        (table,) = column.tables
        assert column.exposure is (Exposure.MARKET if catalogue.table(table).market else Exposure.OPEN)
    closed = exposed_columns(order.sql, catalogue, on_request=Exposure.CLOSED)
    assert closed["utility_arrears_amount_12m"].exposure is Exposure.CLOSED
    assert closed["penalties_12m"].exposure is Exposure.OPEN


@pytest.mark.parametrize(
    ("value", "exposure"),
    [("i.s", "market"), ("p.f", "open"), ("i.s - p.f", "open"), ("i.s + l.d", "market"), ("c.n", "closed")],
)
def test_what_derives_from_open_and_other_records_counts_as_open(value: str, exposure: str) -> None:
    sql = (
        "WITH i AS (SELECT subject, sum(amount) AS s FROM invoice GROUP BY subject), "
        "l AS (SELECT subject, max(overdue_days) AS d FROM loan_performance GROUP BY subject), "
        "p AS (SELECT subject, sum(fine) AS f FROM administrative_penalty GROUP BY subject), "
        "c AS (SELECT subject, count(*) AS n FROM credit_repair GROUP BY subject) "
        f"SELECT o.subject, {value} AS x FROM observation o LEFT JOIN i USING (subject) LEFT JOIN p USING (subject) "
        "LEFT JOIN l USING (subject) LEFT JOIN c USING (subject)"
    )
    assert exposed_columns(sql, Catalogue.load("city"))["x"].exposure == exposure


@pytest.mark.parametrize("sql", ["SELECT subject, x FROM nowhere", "SELECT subject, nothing AS x FROM invoice"])
def test_what_the_catalogue_does_not_have_is_refused(sql: str) -> None:
    with pytest.raises(Refused):
        exposed_columns(sql, Catalogue.load("city"))


def test_a_catalogue_of_another_text_is_refused() -> None:
    version = Catalogue.load("city").version
    assert catalogue_of({"catalogue": {"name": "city", "version": version}}).name == "city"
    with pytest.raises(Refused):
        catalogue_of({"catalogue": {"name": "city", "version": "0" * 64}})
