"""No feature leaks the future: its value stays the same, whatever happens or becomes known after its day."""

from __future__ import annotations

import tempfile
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from credit.errors import Malformed, Refused
from credit.keys import KeyRing, SigningKey
from credit.shelf import OpenedSeal, Shelf
from models.dataset.sample import Sample, build_sample
from models.features.duckdb_engine import Limits, engine
from models.features.population import population_features
from tests.models import world

START, DAY = date(2024, 1, 1), date(2025, 7, 1)
WHO = [world.subject(number) for number in range(4)]
EDGES = [DAY - timedelta(1), DAY, DAY + timedelta(1), date(2024, 7, 1)]  # where a law would break first
days = st.one_of(st.sampled_from(EDGES), st.dates(START, date(2026, 3, 31)))
fines = st.sampled_from([0.0, 0.1, 0.5, 1.0, 5.0])
firsts = st.builds(lambda month: date(2025 + month // 12, month % 12 + 1, 1), st.integers(0, 14))
maybe = st.one_of(st.none(), days, firsts)
penalties = st.builds(
    lambda who, day, late, fine, ends, lifted, severity: world.penalty(
        who, day, fine=fine, known=day + timedelta(late), _ends=ends, lifted_on=lifted, severity=severity
    ),
    st.sampled_from(WHO), days, st.just(0) | st.integers(0, 60), fines, maybe, maybe,
    st.sampled_from(["general", "serious"]),
)  # fmt: skip
loans = st.builds(
    lambda who, day, late, overdue: world.loan(who, day, overdue, day + timedelta(late)),
    st.sampled_from(WHO), days, st.just(0) | st.integers(0, 30), st.sampled_from([0, 1, 30, 90]),
)  # fmt: skip
Rows = dict[str, list[dict[str, Any]]]
worlds = st.builds(
    lambda penalty_rows, loan_rows: {
        "registration": [world.firm(who) for who in WHO],
        "penalty": penalty_rows,
        "loan": loan_rows,
    },
    st.lists(penalties, max_size=12),
    st.lists(loans, max_size=8),
)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, keys: dict[str, SigningKey], ring: KeyRing) -> Any:
    """Makes releases on a shelf of their own."""
    root = tmp_path_factory.mktemp("views")

    def release(rows: Rows, **more: Any) -> OpenedSeal:
        return world.release(Shelf(Path(tempfile.mkdtemp(dir=root)), ring), keys["custody"], rows, **more)

    return release


def features(release: OpenedSeal, day: date = DAY) -> Any:
    return population_features(world.order(), release, day, purpose=release.seal.terms["purpose"]).features


def unseen(row: dict[str, Any]) -> bool:
    return bool(row["_happened"] >= DAY or row["_known"] > DAY)


def together(many: list[Rows]) -> Rows:
    """Several worlds in one, each with subjects of its own: what costs is a release and its engine, not the rows."""
    whole: Rows = {"registration": [], "penalty": [], "loan": []}
    for place, rows in enumerate(many):
        names = {who: world.subject(place * len(WHO) + number) for number, who in enumerate(WHO)}
        for table, table_rows in rows.items():
            whole[table] += [row | {"subject": names[row["subject"]]} for row in table_rows]
    return whole


def otherwise(rows: Rows, more: list[dict[str, Any]], fine: float, later: date | None) -> Rows:
    """The world as it might have gone on from the day: what was unseen is gone, and other things come."""
    other: Rows = {"registration": rows["registration"], "penalty": [], "loan": []}
    for row in rows["penalty"]:
        if unseen(row):
            continue  # gone altogether
        if row["lifted_on"] is not None and row["lifted_on"] > DAY:
            row = row | {"lifted_on": later}  # lifted on another later day, or never
        other["penalty"].append(row)
    other["penalty"] += [row | {"fine": fine} for row in more if unseen(row)]
    other["loan"] = [row for row in rows["loan"] if not unseen(row)]
    return other


later = st.none() | st.dates(DAY + timedelta(1), date(2027, 1, 1))
turns = st.tuples(worlds, st.lists(penalties, max_size=6), fines, later)


@settings(max_examples=5, deadline=None)
@given(many=st.lists(turns, min_size=6, max_size=8))
def test_what_happens_or_is_known_later_changes_no_feature(made: Any, many: list[Any]) -> None:
    before, after = together([turn[0] for turn in many]), together([otherwise(*turn) for turn in many])
    np.testing.assert_array_equal(features(made(before)), features(made(after)))


@settings(max_examples=3, deadline=None)  # each makes two releases and reads ten buckets
@given(many=st.lists(worlds, min_size=1, max_size=4))
def test_buckets_change_nothing(made: Any, many: list[Rows]) -> None:
    rows = together(many)
    one, four = made(rows), made(rows, buckets=4)
    np.testing.assert_array_equal(features(one), features(four))
    results: list[Sample | str] = []
    for release in (one, four):
        try:
            results.append(build_sample(world.order(), release))
        except Refused as refused:
            results.append(str(refused))
    if isinstance(results[0], str) or isinstance(results[1], str):
        assert results[0] == results[1]
    else:
        assert results[0].subjects == results[1].subjects
        np.testing.assert_array_equal(results[0].features, results[1].features)
        np.testing.assert_array_equal(results[0].labels, results[1].labels)


def month(day: date | None) -> date | None:
    return None if day is None else day.replace(day=1)


def month_after(day: date | None) -> date | None:
    """The first of a month on or after the day, as the rule of the catalogue gives it."""
    if day is None or day.day == 1:
        return day
    return (day.replace(day=1) + timedelta(32)).replace(day=1)


def truncated(row: dict[str, Any]) -> dict[str, Any]:
    rules = {"_happened": month, "decided_on": month, "reported_on": month}
    rules |= {"_known": month_after, "_ends": month_after, "lifted_on": month_after}
    return {name: rules[name](value) if name in rules else value for name, value in row.items()}


@settings(max_examples=5, deadline=None)
@given(many=st.lists(worlds, min_size=8, max_size=12), day=firsts)
def test_months_show_at_firsts_of_a_month_what_days_show(made: Any, many: list[Rows], day: date) -> None:
    rows = together(many)
    months = {"registration": rows["registration"]}
    months |= {name: [truncated(row) for row in rows[name]] for name in ("penalty", "loan")}
    precise = made(rows, purpose="scoring")
    np.testing.assert_array_equal(features(precise, day), features(made(months), day))


def test_a_record_shows_from_the_day_after_it_happened_and_is_known_until_it_ends(made: Any) -> None:
    row = world.penalty(
        WHO[0], date(2025, 3, 10), known=date(2025, 3, 20), _ends=date(2025, 6, 1), lifted_on=date(2025, 5, 5)
    )
    release = made({"registration": [world.firm(WHO[0])], "penalty": [row]})
    seen = {
        date(2025, 3, 10): (0, np.nan), date(2025, 3, 19): (0, np.nan), date(2025, 3, 20): (1, 1),
        date(2025, 5, 4): (1, 1), date(2025, 5, 5): (1, 0), date(2025, 5, 31): (1, 0), date(2025, 6, 1): (0, np.nan),
    }  # fmt: skip
    for day, expected in seen.items():
        np.testing.assert_array_equal(features(release, day)[0, [1, 3]], expected, str(day))


def sql(v: str, rest: str = "") -> dict[str, Any]:
    feature = {"name": "v", "title": "v", "direction": 0, "reason": {"zh": "v", "en": "v"}}
    text = f"SELECT o.subject, {v} AS v FROM observation o LEFT JOIN penalty p USING (subject) {rest}"
    return {"features": [feature], "rules": [], "sql": text}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (sql("p.severity"), "feature v is a VARCHAR"),
        (sql("p.decided_on"), "feature v is a DATE"),
        (sql("1 / (p.fine - p.fine)"), "feature v is infinite.*nullif"),
        (sql("p.fine"), "one row for each observation.*2 rows came"),
        (sql("p.fine", "WHERE p.fine > 100"), "one row for each observation.*0 rows came"),
        (sql("CAST(p.severity AS DOUBLE)"), "cannot run: ConversionException$"),
        (sql("p.fine + p.severity"), "cannot run: (Binder|Conversion)"),
    ],
)
def test_what_is_no_feature_is_refused_without_a_value(made: Any, changes: dict[str, Any], words: str) -> None:
    two = [world.penalty(WHO[0], date(2025, 1, number), severity="secret") for number in (5, 6)]
    rows = {"registration": [world.firm(WHO[0])], "penalty": two}
    if "infinite" in words or "DATE" in words:
        rows["penalty"] = two[:1]
    with pytest.raises(Malformed, match=words) as refused:
        population_features(world.order(**changes), made(rows), DAY, purpose="research")
    assert "secret" not in str(refused.value)


def test_the_engine_is_shut_in_before_foreign_sql_runs(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("a\n1\n")
    for statement in (
        f"SELECT a FROM read_csv('{tmp_path}/x.csv')",
        f"SELECT a FROM '{tmp_path}/x.csv'",
        f"COPY (SELECT 1) TO '{tmp_path}/y.csv'",
        f"ATTACH '{tmp_path}/z.db'",
        "INSTALL httpfs",
        "SET enable_external_access = true",
        "SET memory_limit = '100GB'",
    ):
        with pytest.raises(Malformed, match="cannot run"), engine() as run:  # noqa: PT012
            run.lock_down()
            run.fetch_rows(statement)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["x.csv"]


def test_what_takes_too_long_is_ended() -> None:
    with pytest.raises(Refused, match=r"takes too long: the limit is 0\.3 s"), engine(Limits(seconds=0.3)) as run:
        run.fetch_rows("SELECT count(*) FROM range(1000000) a, range(1000000) b WHERE a.range % 7 = b.range % 5")
