"""Feature SQL says what a subject's own records say, and nothing else gets in: every other text is refused in words."""

from __future__ import annotations

import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from credit.catalogue import Catalogue
from credit.errors import Malformed
from models.features.feature_sql import check, check_condition, check_order
from models.order.order import load_declaration
from tests.models import world
from tests.models.attacks import ATTACKS, inner

MODELS = Path(__file__).parents[3] / "models" / "declarations"
SCHEMA = {name: {"subject": "VARCHAR", **columns} for name, columns in world.COLUMNS.items()}
GRANTED = {name: columns for name, columns in SCHEMA.items() if name != "list_of_today"}
TYPES = {"string": "VARCHAR", "integer": "BIGINT", "number": "DOUBLE", "date": "DATE", "boolean": "BOOLEAN"}


@cache
def terms(catalogue: str) -> dict[str, Any]:
    """What a research release of a whole catalogue would say of its tables."""
    tables = {}
    for table in Catalogue.load(catalogue).tables.values():
        if table.subject.rule("research") != "subject":
            continue
        kept = [f for f in table.fields if f is not table.subject and f.rule("research") != "drop"]
        dated = table.time.happened is not None and table.time.happened.rule("research") != "drop"
        columns = {"subject": "VARCHAR"} | {f.column: TYPES[f.type] for f in kept} | (world.TIMES if dated else {})
        tables[table.name] = {"rows": 0, "dated": dated, "columns": columns}
    return {"tables": tables}


@pytest.mark.parametrize(
    ("name", "catalogue"),
    [
        ("enterprise", "city"),
        ("individual_business", "city"),
        ("real/beijing_inspection", "beijing"),
        ("real/invoice_credit", "cumcm"),
    ],
)
def test_the_built_in_sets_pass(name: str, catalogue: str) -> None:
    order = load_declaration(MODELS / f"{name}.yaml")
    query = check_order(order, terms(catalogue))
    assert set(query.output) == set(order.names)
    assert set(query.tables) <= set(order.tables)
    again = check(
        query.sql, {t: terms(catalogue)["tables"][t]["columns"] for t in order.tables}, population=order.population
    )
    assert again == query  # what it writes, it reads


@pytest.mark.parametrize(("sql", "words"), ATTACKS, ids=[sql[:60] for sql, _ in ATTACKS])
def test_what_reaches_outside_a_subject_is_refused_in_words(sql: str, words: str) -> None:
    with pytest.raises(Malformed, match=f"The feature SQL is refused: .*({words})"):
        check(sql, GRANTED, population="registration")


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT subject, 1 AS v FROM observation -- read_csv('x'); ATTACH 'y'",
        "SELECT subject, /* ) UNION SELECT */ 1 AS v FROM observation;",
        "SELECT subject, 'SELECT * FROM read_csv(''x'')' = 'a' AS v FROM observation",
        'SELECT "subject", "fine" AS "v" FROM "penalty"',
        "select SUBJECT, FINE as V from PENALTY",
    ],
)
def test_comments_quotes_and_capitals_change_nothing(sql: str) -> None:
    query = check(sql, GRANTED, population="registration")
    assert query.output == ("v",)
    assert "--" not in query.sql
    assert "/*" not in query.sql


def test_the_check_reports_which_columns_are_read() -> None:
    query = check(world.SQL, GRANTED, population="registration")
    assert query.output == world.NAMES
    assert query.tables == {
        "registration": {"registered_on"},
        "penalty": {"fine", "severity", "decided_on", "lifted_on"},
        "loan": {"overdue_days"},
    }


@pytest.mark.parametrize(
    "sql",
    [
        inner("SELECT subject, sum(fine) FILTER (WHERE severity = 'serious') AS v FROM penalty GROUP BY subject"),
        inner("SELECT subject, lag(fine) OVER (PARTITION BY subject ORDER BY decided_on) AS v FROM penalty"),
        "WITH m AS (SELECT subject, date_trunc('month', decided_on) AS m, sum(fine) AS f FROM penalty "
        "GROUP BY subject, date_trunc('month', decided_on)) "
        + inner("SELECT subject, stddev(f) AS v FROM m GROUP BY subject"),
        "SELECT o.subject, CASE WHEN p.fine > 1 AND p.severity IN ('a', 'b') THEN ln(p.fine) ELSE -1 END AS v "
        "FROM observation AS o INNER JOIN penalty AS p ON o.subject = p.subject",
        inner("SELECT DISTINCT subject, fine AS v FROM penalty WHERE decided_on >= as_of - INTERVAL '3 months'"),
    ],
)
def test_what_credit_people_write_is_let_in(sql: str) -> None:
    assert check(sql, GRANTED, population="registration").output == ("v",)


@pytest.mark.parametrize(
    ("when", "words"),
    [
        ("true", "reads no column"),
        ("overdue >= 90", "loan has no column overdue.*Did you mean overdue_days"),
        ("overdue_days >= (SELECT 90)", "subquery|not allowed"),
        ("max(overdue_days) >= 90", "max is not allowed"),
        ("overdue_days >= 90; DROP TABLE x", "line|parse"),
        ("overdue_days >= 90) OR (1=1", "line|parse"),
        ("overdue_days >= random()", "random"),
        ("_happened IS NOT NULL", "no column _happened"),
        ("subject = 'x'", "no column subject"),
        ("loan.overdue_days >= 90", "no column loan.overdue_days"),
        ("", "line|parse"),
    ],
)
def test_a_condition_reads_columns_of_its_own_row_alone(when: str, words: str) -> None:
    with pytest.raises(Malformed, match=words):
        check_condition(when, SCHEMA["loan"], table="loan")
    assert check_condition("overdue_days >= 90", SCHEMA["loan"]).columns == {"overdue_days"}


UNDATED = {"table": "list_of_today", "when": "reason = 'x'", "window_months": 6}
UNFIT = [
    ({"tables": ["registration", "penalty", "loans"]}, "no table loans.*Did you mean loan"),
    (
        {
            "tables": ["registration", "penalty", "list_of_today"],
            "sql": world.SQL.replace("FROM loan", "FROM list_of_today"),
        },
        "list_of_today has no dates",
    ),
    ({"label": UNDATED}, "list_of_today has no dates"),
    ({"population": "loan"}, "loan is not a register"),
    (
        {"sql": world.SQL.replace("AS worst,", "AS worse,").replace("l.worst", "l.worse")},
        "does not give the feature worst.*Did you mean worse",
    ),
    (
        {"sql": world.SQL.replace("l.reports AS reports", "l.reports AS reports, 1 AS more")},
        "gives more, and no feature",
    ),
]


@pytest.mark.parametrize(("changes", "words"), UNFIT, ids=[words for _, words in UNFIT])
def test_an_order_is_checked_against_the_release(changes: dict[str, Any], words: str) -> None:
    check_order(world.order(), world.terms())
    with pytest.raises(Malformed, match=words):
        check_order(world.order(**changes), world.terms())


def test_a_notebook_checks_without_duckdb_ray_or_mlflow() -> None:
    code = (
        "import sys; sys.modules.update(duckdb=None, ray=None, mlflow=None, lightgbm=None, pyarrow=None)\n"
        "import models.order.order, models.features.feature_sql, lab.order_placement"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=MODELS.parent)
