"""An order is what it says and nothing else: plain values in, the same out, and every mistake is named with its key."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from credit.errors import Malformed, Missing
from models.order.order import Order, load_declaration
from tests.models.world import declaration

MODELS = Path(__file__).parents[3] / "models" / "declarations"
BUILT_IN = ["enterprise", "individual_business", "real/beijing_inspection", "real/invoice_credit"]


@pytest.mark.parametrize("name", BUILT_IN)
def test_a_built_in_declaration_comes_back_from_json_as_it_was(name: str) -> None:
    order = load_declaration(MODELS / f"{name}.yaml")
    assert Order.parse(json.loads(json.dumps(order.as_json()))) == order
    assert all(feature.reason["zh"] and feature.reason["en"] for feature in order.features)


def changed(**changes: Any) -> dict[str, Any]:
    """The declaration with changes at dotted keys (``label__when``)."""
    declared = json.loads(json.dumps(declaration()))
    for path, value in changes.items():
        *inner, last = path.split("__")
        place = declared
        for step in inner:
            place = place[int(step) if step.isdigit() else step]
        place[last] = value
    return declared


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ([], "order cannot be read"),
        (changed(modle="x"), "the key modle is not known.*Did you mean model"),
        (changed(model=None), "order.model.*text was expected"),
        (changed(model="Tiny Model"), "order.model.*a–z"),
        (changed(subject_kind="enterprises"), "subject_kind.*Did you mean enterprise"),
        (changed(population=None), "order.population.*subject_kind needs"),
        (changed(tables=["loan", "loan"]), "order.tables.*twice"),
        (changed(tables="loan"), "order.tables.*a list"),
        (changed(training__accept_leak=["finse"]), "order.training.*finse is not a feature.*Did you mean fines"),
        (changed(training__calibration="isotonik"), "order.training.calibration.*best, platt.*Did you mean isotonic"),
        (changed(training__calibration=["beta"]), "order.training.calibration.*best, platt"),
        (changed(training__rows_a_worker=1), "order.training.rows_a_worker.*from 500"),
        (changed(features=[]), "order.features.*at least one"),
        (changed(features__0__direction=2), r"order.features\[0\].direction.*from -1 to 1"),
        (changed(features__0__direction=True), r"order.features\[0\].direction"),
        (changed(features__0__reason={"zh": "只有中文"}), r"features\[0\].reason: the key en is missing"),
        (changed(features__1__name="age"), "order.features.*none may occur twice"),
        (changed(label__window_months=0), "order.label.window_months.*from 1 to 60"),
        (changed(label__window_months=None), "order.label.*needs window_months"),
        (changed(label__wen="x"), "order.label: the key wen is not known.*Did you mean when"),
        (changed(observe__first="2025-01-15"), "order.observe.first.*first of a month.*2025-01-01"),
        (changed(observe__first="soon"), "order.observe.first.*a day was expected"),
        (changed(observe__last="2024-01-01"), "order.observe.last.*before the first"),
        (changed(observe={"event": "loan", "every_months": 3}), "order.observe.event.*not both"),
        (changed(observe={"event": "penalty"}), "order.label.*event's own table"),
        (changed(observe={"event": "loan"}), "order.label.*has no window"),
        (changed(split__folds=1), "order.split.folds.*from 2"),
        (changed(training__trials="4"), "order.training.trials.*whole number"),
        (changed(training__space={"leafs": [3, 9]}), "order.training.space.*leafs.*Did you mean leaves"),
        (changed(training__space={"leaves": [9, 3]}), "order.training.space.leaves.*the smaller first"),
        (changed(training__space={"leaves": [3, 9.5]}), "order.training.space.leaves.*whole numbers"),
        (changed(training__space={"rate": [0, 0.1]}), "order.training.space.rate.*from 0.001"),
        (changed(training__space={"l2": [1]}), "order.training.space.l2.*two numbers"),
        (changed(scale__odds=0), "order.scale.odds.*above 0"),
        (changed(scale__odds=float("nan")), "order.scale.odds"),
        (changed(scale__maximum=-1), "order.scale.maximum.*above the minimum"),
        (changed(grades=[["A", 1], ["B", 2]]), "order.grades.*best to worst"),
        (changed(grades=[["A", 2], ["A", 1]]), "order.grades.*named twice"),
        (changed(grades=["A"]), "order.grades.*least points"),
        (changed(rules__0__feature="wurst"), r"order.rules\[0\].feature.*Did you mean worst"),
        (changed(rules__0__grade="E"), r"order.rules\[0\].grade.*E is not a grade"),
        (changed(sql=" "), "order.sql.*text"),
        (changed(sql="x" * 60_000), "order.sql.*over 50000"),
    ],
)
def test_a_mistake_is_named_with_its_key_and_a_hint(document: Any, words: str) -> None:
    with pytest.raises(Malformed, match=words):
        Order.parse(document)


def test_a_declaration_file_is_read_with_the_sql_next_to_it(tmp_path: Path) -> None:
    with pytest.raises(Missing, match=r"no file tiny\.yaml"):
        load_declaration(tmp_path / "tiny.yaml")
    (tmp_path / "tiny.yaml").write_text("model: [", encoding="utf-8")
    with pytest.raises(Missing, match=r"no file tiny\.sql"):
        load_declaration(tmp_path / "tiny.yaml")
    (tmp_path / "tiny.sql").write_text("SELECT 1", encoding="utf-8")
    with pytest.raises(Malformed, match=r"tiny\.yaml is not YAML: line 1"):
        load_declaration(tmp_path / "tiny.yaml")
    (tmp_path / "tiny.yaml").write_text("- a", encoding="utf-8")
    with pytest.raises(Malformed, match="keys with values"):
        load_declaration(tmp_path / "tiny.yaml")
