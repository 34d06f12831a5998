"""Points of an evaluation are those of a slow reference in whole hundredths, and every sheet sums to its points."""

from __future__ import annotations

import copy
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from credit.errors import Malformed
from models.evaluation.shipped import KINDS, evaluation_of
from models.scoring.evaluation.declaration import Evaluation, EvaluationMeasure, read_evaluation
from models.scoring.evaluation.points import evaluate_points
from models.scoring.evaluation.sheet import indicator_sheet
from tests.models.evaluation.small_evaluation import declaration

value = st.one_of(
    st.just(float("nan")), st.integers(0, 40).map(float), st.sampled_from([0.1, 0.5, 1.0, 9.99, 10.0, 1e9])
)


def slowly(evaluation: Evaluation, values: dict[str, float]) -> tuple[int, str]:
    """Points in hundredths and grade, one indicator at a time, in exact fractions."""
    total = evaluation.base
    for each in evaluation.indicators:
        inside = sum(points_of(measure, values[measure.code]) for measure in each.measures)
        total += max(each.floor, min(each.cap, inside))
    points = max(evaluation.minimum, min(evaluation.maximum, total))
    place = next((n for n, (_, cut) in enumerate(evaluation.grade_cuts) if points >= cut), len(evaluation.grades) - 1)
    for rule in evaluation.rules:
        if values[rule.feature] >= rule.at_least:
            place = max(place, evaluation.grades.index(rule.grade))
    return points, evaluation.grades[place]


def points_of(measure: EvaluationMeasure, given: float) -> int:
    if given != given:
        return 0
    if measure.bands:
        return next((points for least, points in reversed(measure.bands) if given >= least), 0)
    exact = Fraction(given) * (measure.each or 0)
    limited = max(Fraction(measure.floor), min(Fraction(measure.cap), exact))
    return int(np.rint(float(limited)))


@pytest.mark.parametrize("kind", [*KINDS, "small"])
@given(data=st.data())
def test_points_and_grades_are_those_of_the_slow_reference(kind: str, data: Any) -> None:
    evaluation = read_evaluation(declaration()) if kind == "small" else evaluation_of(kind)
    rows = data.draw(st.lists(st.tuples(*[value] * len(evaluation.measures)), min_size=1, max_size=4))
    result = evaluate_points(evaluation, np.array(rows))
    codes = [measure.code for measure in evaluation.measures]
    for row, given_values in enumerate(rows):
        points, grade = slowly(evaluation, dict(zip(codes, given_values, strict=True)))
        assert (int(result.points[row]), evaluation.grades[int(result.grade[row])]) == (points, grade)
        sheet = indicator_sheet(evaluation, np.array(given_values))
        assert (round(sheet["points"] * 100), sheet["grade"]) == (points, grade)
        families = sum(round(family["points"] * 100) for family in sheet["families"])
        assert round(sheet["base"] * 100) + families == round(sheet["total"] * 100)
        for family in sheet["families"]:
            assert sum(round(each["points"] * 100) for each in family["indicators"]) == round(family["points"] * 100)
            for each in family["indicators"]:
                inside = sum(round(measure["points"] * 100) for measure in each["measures"])
                limited = max(round(each["floor"] * 100), min(round(each["cap"] * 100), inside))
                assert round(each["points"] * 100) == limited


@pytest.mark.parametrize("kind", KINDS)
def test_a_subject_without_records_has_the_base_and_a_worse_record_never_a_better_grade(kind: str) -> None:
    evaluation = evaluation_of(kind)
    nothing = np.full((1, len(evaluation.measures)), np.nan)
    assert int(evaluate_points(evaluation, nothing).points[0]) == evaluation.base
    for place, measure in enumerate(evaluation.measures):
        if measure.each is not None and measure.each < 0:
            worse = np.repeat(nothing, 5, axis=0)
            worse[:, place] = [0, 1, 2, 5, 20]
            result = evaluate_points(evaluation, worse)
            assert (np.diff(result.points) <= 0).all(), measure.code
            assert (np.diff(result.grade) >= 0).all(), measure.code


def test_the_published_structures_are_there() -> None:
    firm, shop = evaluation_of("enterprise"), evaluation_of("individual_business")
    assert [family.zh for family in firm.families] == ["遵纪守法", "履约践诺", "资质荣誉", "社会责任", "监管风险"]
    assert [family.zh for family in shop.families] == ["基础信息", "资质认定", "行业监管", "履约践诺", "社会责任"]
    assert (len(firm.indicators), len(shop.indicators)) == (15, 23)
    assert all(indicator.example for indicator in shop.indicators)
    for evaluation in (firm, shop):
        assert evaluation.grades == ("A", "A-", "B+", "B", "B-", "C+", "C", "C-", "D")
        assert dict(evaluation.grade_cuts)["A"] == 80_000
        assert evaluation.published_grades == ("A", "A-", "B+", "B")


CHANGES: list[tuple[str, Any]] = [
    ("base", 1001), ("base", 750.001), ("base", "750"), ("base", float("nan")), ("grades", [["A", 1], ["B", 2]]),
    ("grades", []), ("grades", [["A", 800], ["A", 700]]), ("grades", [["A"]]), ("published_grades", ["Z"]),
    ("period", "year"), ("evaluation", "enterprise"), ("rules", [{"measure": "x"}]), ("families", []),
    ("facts", [{"code": "general_12m"}]), ("families", "law"), ("title", " "), ("minimum", 900),
]  # fmt: skip


@pytest.mark.parametrize(("key", "bad"), CHANGES, ids=[f"{key}-{number}" for number, (key, _) in enumerate(CHANGES)])
def test_a_declaration_that_makes_no_sense_is_refused(key: str, bad: Any) -> None:
    with pytest.raises(Malformed):
        read_evaluation(declaration(**{key: bad}))


@pytest.mark.attack
@given(st.data())
def test_no_key_can_be_missing_added_or_of_another_type(data: Any) -> None:
    changed = copy.deepcopy(declaration())
    place: Any = changed
    while True:
        keys = list(place) if isinstance(place, dict) else list(range(len(place)))
        key = data.draw(st.sampled_from(keys))
        inner = [each for each in (place[key],) if isinstance(each, (dict, list)) and each]
        if not inner or (not isinstance(place, dict) and data.draw(st.booleans())):
            break
        place = inner[0]
    if isinstance(place, dict):
        place[f"{key}_"] = place.pop(key)
        with pytest.raises(Malformed):
            read_evaluation(changed)
