"""The SQL of a table is one aggregate SELECT of plain statistics; what chooses rows unseen is refused, in words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credit.errors import Malformed
from models.tables.table_sql import TablePlan, check_table
from tests.models.invented_release import COLUMNS

FROM = "FROM registration JOIN administrative_penalty USING (subject)"


def plan(sql: str) -> TablePlan:
    return check_table(sql, COLUMNS, population="registration")


def test_groups_and_statistics_have_names_of_ours() -> None:
    checked = plan(
        f"SELECT kind AS secret_message, year(decided_on) AS another, count(*) AS hidden, avg(fine) AS more {FROM} "
        "GROUP BY kind, year(decided_on) -- a comment"
    )
    assert checked.groups == ("kind", "decided_on_group")
    assert [each.name for each in checked.measures] == ["count", "avg_fine"]
    assert not any(word in checked.sql for word in ("secret", "another", "hidden", "more", "comment"))


@pytest.mark.parametrize("group", ["GROUP BY kind", "GROUP BY 1", "GROUP BY k", "GROUP BY ALL"])
def test_a_group_is_named_in_any_usual_way(group: str) -> None:
    checked = plan(f"SELECT kind AS k, count(*) {FROM} {group}")
    assert checked.groups == ("kind",)
    assert plan(checked.sql) == checked, "compute reads what was placed and finds the same"


def test_a_column_of_a_subquery_has_a_number_and_not_a_name() -> None:
    checked = plan(
        "SELECT avg(smuggled) FROM "
        "(SELECT subject, count(*) AS smuggled FROM administrative_penalty GROUP BY subject) p"
    )
    assert [each.name for each in checked.measures] == ["avg_value_1"]


@pytest.mark.parametrize(
    "sql",
    [
        f"SELECT kind, count(*) {FROM} GROUP BY kind HAVING count(*) = 17",
        f"SELECT kind, count(*) {FROM} GROUP BY kind ORDER BY 2",
        f"SELECT kind, count(*) {FROM} GROUP BY kind LIMIT 1",
        f"SELECT DISTINCT kind, count(*) {FROM} GROUP BY kind",
        f"SELECT kind, count(*) FILTER (WHERE fine = 5) {FROM} GROUP BY kind",
        f"SELECT kind, sum(fine) - min(fine) {FROM} GROUP BY kind",
        f"SELECT kind, max(fine) {FROM} GROUP BY kind",
        f"SELECT kind, sum(CASE WHEN fine = 5 THEN 1 ELSE 0 END) {FROM} GROUP BY kind",
        f"SELECT kind, sum(fine * 1000) {FROM} GROUP BY kind",
        f"SELECT kind, count(DISTINCT fine) {FROM} GROUP BY kind",
        f"SELECT kind, sum(fine) OVER (PARTITION BY kind) {FROM}",
        f"SELECT kind, count(*) {FROM} GROUP BY kind, status",
        f"SELECT kind, count(*) {FROM} GROUP BY ROLLUP (kind)",
        f"SELECT kind, count(*) {FROM}",
        f"SELECT subject, count(*) {FROM} GROUP BY ALL",
        f"SELECT kind {FROM} GROUP BY kind",
        f"SELECT CASE WHEN fine > 1 THEN 'a message' ELSE 'another' END, count(*) {FROM} GROUP BY ALL",
        f"SELECT CASE WHEN fine > 1 THEN 20260401 ELSE 0 END, count(*) {FROM} GROUP BY ALL",
        f"SELECT coalesce(kind, 'a message'), count(*) {FROM} GROUP BY ALL",
        f"SELECT kind || 'a message', count(*) {FROM} GROUP BY ALL",
        f"SELECT CAST('a message' AS VARCHAR) AS x, count(*) {FROM} GROUP BY ALL",
        f"SELECT quantile_cont(fine, 1.5) {FROM}",
        "SELECT count(*) FROM nobody",
        "SELECT count(*) FROM registration; SELECT 1",
        f"SELECT count(*) {FROM} WHERE EXISTS (SELECT 1 FROM registration)",
    ],
)
def test_a_refusal_has_a_reason(sql: str) -> None:
    with pytest.raises(Malformed) as refused:
        plan(sql)
    assert refused.value.why


def test_bands_are_numbers() -> None:
    checked = plan(f"SELECT CASE WHEN fine < 1 THEN 1 WHEN fine < 5 THEN 2 ELSE 3 END, count(*) {FROM} GROUP BY ALL")
    assert checked.groups == ("fine_group",)
    assert plan(f"SELECT count(*) {FROM} WHERE kind = 'enterprise' AND decided_on >= DATE '2025-01-01'").groups == ()


@pytest.mark.parametrize(("columns", "why", "next_step"), [
    ("*", "a row a subject", "lab.rows"), ("subject, count(*)", "a row a subject", "lab.rows"),
    ("r.*", "a row a subject", "lab.rows"),
    ("kind, max(fine)", "no statistic max", "median"), ("kind, string_agg(kind)", "no statistic", "median"),
])  # fmt: skip
def test_what_a_table_cannot_show_is_refused_with_what_can(columns: str, why: str, next_step: str) -> None:
    with pytest.raises(Malformed) as refused:
        plan(f"SELECT {columns} {FROM} GROUP BY ALL")
    assert why in refused.value.why
    assert next_step in refused.value.remedy


@pytest.mark.attack
@given(st.floats(0, 1, exclude_min=True, exclude_max=True) | st.decimals(0, 1, places=9).map(float))
def test_no_digits_of_a_share_reach_the_name_of_a_column(share: float) -> None:
    """A share of a quantile is one of nineteen: its digits were twenty bits a column, which no reviewer read."""
    sql = f"SELECT quantile_cont(fine, {share!r}) {FROM}"
    if share in {n / 20 for n in range(1, 20)}:
        assert plan(sql).measures[0].share == share
        return
    with pytest.raises(Malformed):
        plan(sql)


def test_the_usual_quantiles_are_given() -> None:
    for share in ("0.05", "0.1", "0.25", "0.3", "0.5", "0.75", "0.9", "0.95"):
        assert plan(f"SELECT quantile_cont(fine, {share}) {FROM}").measures[0].share == float(share)
