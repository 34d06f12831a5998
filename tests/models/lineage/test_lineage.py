"""The source tables of a feature are read off its SQL: all of them, and no other."""

from __future__ import annotations

from pathlib import Path

import pytest

from models.lineage.lineage import bank_features, source_tables
from models.order.order import load_declaration

MODELS = Path(__file__).parents[3] / "models" / "declarations"
CASES = {
    "SELECT o.subject, count(p.fine) AS n FROM observation o LEFT JOIN p USING (subject) GROUP BY o.subject": {
        "n": ["p"]
    },
    "SELECT subject, count(*) AS n FROM p GROUP BY subject": {"n": ["p"]},
    "WITH a AS (SELECT subject, count(*) AS n, max(fine) AS m FROM p GROUP BY subject), "
    "b AS (SELECT subject, sum(x) AS s FROM q GROUP BY subject) "
    "SELECT o.subject, a.n + coalesce(b.s, 0) AS both, m AS one, b.s * 2 AS other, 1 AS none, "
    "CASE WHEN o.as_of > DATE '2026-01-01' THEN a.m END AS late "
    "FROM observation o LEFT JOIN a USING (subject) LEFT JOIN b USING (subject)": {
        "both": ["p", "q"], "one": ["p"], "other": ["q"], "none": ["p", "q"], "late": ["p"],
    },
    "SELECT o.subject, t.z AS z FROM observation o LEFT JOIN "
    "(SELECT s.subject, max(s.y) AS z FROM (SELECT subject, x AS y FROM q) s GROUP BY s.subject) t USING (subject)": {
        "z": ["q"]
    },
}  # fmt: skip


@pytest.mark.parametrize("sql", CASES, ids=range(len(CASES)))
def test_it_follows_a_value_through_subqueries(sql: str) -> None:
    assert source_tables(sql) == CASES[sql]


@pytest.mark.parametrize("model", ["enterprise", "individual_business"])
def test_every_shipped_feature_has_the_tables_its_order_was_granted(model: str) -> None:
    order = load_declaration(MODELS / f"{model}.yaml")
    sources = source_tables(order.sql)
    assert set(sources) == set(order.names)
    assert all(sources.values())
    assert {table for tables in sources.values() for table in tables} == set(order.tables)
    assert sources["penalties_12m"] == ["administrative_penalty"]


def test_a_bank_may_state_what_comes_from_no_public_table() -> None:
    sql = (
        "WITH i AS (SELECT subject, sum(x) AS sales, max(y) AS late FROM invoice GROUP BY subject), "
        "p AS (SELECT subject, sum(fine) AS fines FROM penalty GROUP BY subject) "
        "SELECT o.subject, i.sales, i.late, p.fines, i.sales - p.fines AS both "
        "FROM observation o LEFT JOIN i USING (subject) LEFT JOIN p USING (subject)"
    )
    assert bank_features(sql, {"invoice": {"market": True}, "penalty": {"market": False}}) == ["late", "sales"]
    for unsaid in ({}, {"invoice": {}}, {"invoice": {"market": "true"}}, {"invoice": {"market": None}}):
        assert bank_features(sql, unsaid) == []
