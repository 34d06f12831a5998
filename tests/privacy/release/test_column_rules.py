"""No rule shows a record early or an end more than a month late, and an unknown rule releases nothing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from credit.errors import Malformed
from credit.fields import Field
from privacy.duckdb_engine import Engine, engine
from privacy.release import column_rules
from tests.privacy.small_custody import House

DAYS = st.dates(date(2015, 1, 1), date(2030, 12, 31))


def field(kind: str, rule: str) -> Field:
    data = {"name": "F", "column": "f", "title": "f", "type": kind, "role": "none", "rules": {"research": rule}}
    shared = {"openness": "社会公开", "sharing": "无条件共享", "usage": "可用于信用评价"}
    return Field.parse(data | shared, where="test")


@pytest.fixture(scope="module")
def run() -> Iterator[Engine]:
    """One engine for all tests: opening one takes longer than its queries, which leave no state."""
    with engine() as opened:
        yield opened


def applied(run: Engine, kind: str, rule: str, value: str) -> object:
    sql = column_rules.value_sql(field(kind, rule), "research", value)
    return run.one(f"SELECT {sql}")


@settings(max_examples=100, deadline=None)
@given(happened=DAYS, known=st.one_of(st.none(), DAYS), seen=DAYS)
def test_a_record_of_months_is_never_seen_before_one_of_days(
    run: Engine, happened: date, known: date | None, seen: date
) -> None:
    """On the first of a month, releases by month and by day show the same records."""
    known_sql = "NULL::DATE" if known is None else f"DATE '{known}'"
    first = column_rules.value_sql(field("date", "month"), "research", f"DATE '{happened}'")
    last = column_rules.value_sql(field("date", "month_after"), "research", f"greatest({known_sql}, DATE '{happened}')")
    [(shown_from, known_from)] = run.rows(f"SELECT {first}, {last}")
    by_month = shown_from < seen and known_from <= seen
    by_day = happened < seen and max(happened, known or happened) <= seen
    assert not by_month or by_day
    if seen.day == 1:
        assert by_month == by_day


@given(end=DAYS, seen=DAYS)
@settings(max_examples=60, deadline=None)
def test_an_end_is_late_by_less_than_a_month(run: Engine, end: date, seen: date) -> None:
    shown_end = applied(run, "date", "month_after", f"DATE '{end}'")
    assert isinstance(shown_end, date)
    assert end <= shown_end < end + timedelta(days=31)
    if seen.day == 1:
        assert (shown_end > seen) == (end > seen)


@pytest.mark.parametrize(
    ("kind", "rule", "value", "expected"),
    [
        ("number", "band(0,0.1,0.5)", "0.3", 0.1),
        ("number", "band(0,0.1,0.5)", "-1", None),
        ("number", "band(0,0.1,0.5)", "NULL::DOUBLE", None),
        ("integer", "band(0,10,100)", "57", 10),
        ("number", "round(100)", "151.0", 200.0),
        ("number", "round(100)", "-3.0", 0.0),
        ("number", "top(5)", "7.0", 5.0),
        ("number", "top(5)", "NULL::DOUBLE", None),
        ("string", "prefix(2)", "'120104'", "12"),
        ("date", "year", "DATE '2024-05-06'", date(2024, 1, 1)),
        ("string", "keep", "'x'", "x"),
    ],
)
def test_each_rule(run: Engine, kind: str, rule: str, value: str, expected: object) -> None:
    got = applied(run, kind, rule, value)
    assert got == expected
    assert "-" not in str(got) or kind == "date"


@pytest.mark.parametrize(
    ("kind", "rule"),
    [
        ("string", "mask"),
        ("string", "month"),
        ("date", "band(1)"),
        ("number", "band()"),
        ("number", "band(2,1)"),
        ("number", "band"),
        ("number", "round(0)"),
        ("string", "prefix(0)"),
        ("string", "keep(1)"),
        ("number", "band(1) OR 1"),
        ("integer", "subject"),
    ],
)
def test_an_unknown_rule_is_malformed(kind: str, rule: str) -> None:
    with pytest.raises(Malformed):
        column_rules.value_sql(field(kind, rule), "research", "x")


def test_without_a_rule_a_column_is_dropped(house: House) -> None:
    assert column_rules.value_sql(field("string", "keep"), "scoring", "x") is None
    path = house.root / "catalogue" / "administrative_penalty.yaml"
    path.write_text(path.read_text().replace("{research: month_after, scoring: keep}", "{scoring: keep}", 1))
    tiny = type(house.catalogue).load("tiny", house.root / "catalogue")
    with pytest.raises(Malformed):
        column_rules.time_columns_sql(tiny.table("administrative_penalty"), "research")
