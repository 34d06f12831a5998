"""The two built-in declarations are whole: enough features in every family, in words, on columns every release has."""

from __future__ import annotations

from pathlib import Path

import pytest

import models
from credit.catalogue import Catalogue
from models.features.feature_sql import check_order
from models.order.order import Order, load_declaration

FOLDER = Path(models.__path__[0]) / "declarations"
LEAST = {"enterprise": 60, "individual_business": 40}
FAMILIES = (
    "penalt", "judgment", "dishonest", "serious_lists", "abnormal", "tax_", "insurance", "utility", "commitment",
    "licence", "honours", "sales", "loan_",
)  # fmt: skip


@pytest.fixture(params=sorted(LEAST))
def order(request: pytest.FixtureRequest) -> Order:
    return load_declaration(FOLDER / f"{request.param}.yaml")


def test_there_are_enough_features_of_every_family(order: Order) -> None:
    assert len(order.names) >= LEAST[order.model]
    for family in FAMILIES:
        assert any(family in name for name in order.names), family


def test_every_feature_has_a_description_and_no_two_are_the_same(order: Order) -> None:
    for feature in order.features:
        assert any("一" <= letter <= "鿿" for letter in feature.title + feature.reason["zh"])
        assert feature.reason["en"][0].isupper()
    assert len({feature.title for feature in order.features}) == len(order.features)
    assert len({feature.reason["zh"] for feature in order.features}) == len(order.features)


def test_what_harms_lowers_the_points(order: Order) -> None:
    harmful = ("penalties", "judgments", "dishonest", "arrears", "broken", "overdue", "late")
    for feature in order.features:
        if any(word in feature.name for word in harmful) and not feature.name.startswith("months_since"):
            assert feature.direction == 1, feature.name


@pytest.mark.parametrize("purpose", ["research", "scoring"])
def test_it_reads_only_columns_that_both_releases_have(order: Order, purpose: str) -> None:
    check_order(order, {"tables": granted(Catalogue.load("city"), purpose)})


def test_rules_judge_directly_and_cap(order: Order) -> None:
    assert {rule.grade for rule in order.rules} >= {"D", "C+"}
    assert any(rule.feature == "dishonest_in_force" and rule.grade == "D" for rule in order.rules)


def granted(catalogue: Catalogue, purpose: str) -> dict[str, object]:
    """The tables of a release as its terms tell them."""
    types = {"string": "VARCHAR", "date": "DATE", "number": "DOUBLE", "integer": "BIGINT", "boolean": "BOOLEAN"}
    times = {"_happened": "DATE", "_known": "DATE", "_ends": "DATE"}
    return {
        table.name: {
            "dated": table.dated,
            "columns": {f.column: types[f.type] for f in table.fields if f.rules.get(purpose)} | times,
        }
        for table in catalogue.tables.values()
    }
