"""What an author chose in an order: the built-in models are free, constants and invented names of an author are not."""

from __future__ import annotations

import pytest

from lab.airlock.copies.chosen_bits import chosen_bits
from lab.airlock.thresholds import load
from models.features.feature_sql import values_chosen
from models.features.sql_parser import parse, written
from models.order.order import SUBJECT_KINDS, built_in

LIMIT = load()["model_bits_at_most"]
OWN = """SELECT subject,
  count(*) FILTER (WHERE amount > 4711) AS judgments_large,
  coalesce(sum(amount), 0) / 10000 AS judgments_amount
FROM judgment_debtor WHERE filed_on >= as_of - INTERVAL 18 MONTH GROUP BY subject"""


@pytest.mark.parametrize("kind", SUBJECT_KINDS)
def test_a_built_in_order_with_more_features_costs_these_alone(kind: str) -> None:
    base = built_in(kind)
    joined = f"SELECT b.subject, b.a AS a, x.c AS c FROM (\n{base.sql}\n) b LEFT JOIN (\n{OWN}\n) x USING (subject)"
    travelled = written(parse(joined, statement=True))
    names = [*base.names, "judgments_large", "judgments_amount"]
    both, own = chosen_bits(names, travelled), chosen_bits(["judgments_large", "judgments_amount"], OWN)
    assert chosen_bits(base.names, base.sql).total == 0
    assert both.total == own.total
    assert 0 < own.total <= LIMIT


def test_a_built_in_query_that_was_changed_is_not_free() -> None:
    base = built_in("enterprise").sql
    assert values_chosen(base.replace("THEN 4 ", "THEN 44 ", 1)).numbers.count("44") == 1
    changed = chosen_bits([], base.replace("THEN 4 ", "THEN 44 ", 1))
    assert changed.values > 0


@pytest.mark.parametrize(
    ("value", "chosen"),
    [
        ("count(*) FILTER (WHERE amount > 123456)", 0),
        ("coalesce(sum(amount), 0)", 0),
        ("sum(amount) * 37", 2),
        ("sum(CASE WHEN amount > 5 THEN 37 ELSE 0 END)", 1),
        ("length('aaaaaaaa')", 2),
        ("date_diff('day', max(as_of) - INTERVAL 37 DAY, max(as_of))", 3),
        ("sum(amount) + sum(amount)", 1),
    ],
)
def test_constants_count_where_they_shape_values(value: str, chosen: int) -> None:
    values = values_chosen(f"SELECT subject, {value} AS x FROM judgment_debtor GROUP BY subject")
    others = [each for each in (*values.numbers, *values.texts) if each != "0"]
    assert len(others) + values.operations == chosen
