"""A score is probability, points, grade and reasons that sum to it; missing stays missing; nothing malformed scores."""

from __future__ import annotations

import json
import math
import shutil
from pathlib import Path

import lightgbm
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from credit.errors import Broken, Malformed, Missing
from models.dataset.sample import Sample
from models.scoring import scorecard
from models.scoring.golden import check_golden
from models.scoring.scorer import Scorer
from models.training.fit import VersionContent
from tests.models import invented


@pytest.fixture(scope="module")
def scorer(folder: Path) -> Scorer:
    return Scorer.load(folder)


def test_reasons_and_base_sum_to_the_points(scorer: Scorer, sample: Sample) -> None:
    scores = scorer.score(sample.features)
    total = scores.base_points + scores.point_contributions.sum(axis=1)
    assert np.max(np.abs(total - scores.points)) < 1e-9


def test_points_and_probability_are_the_declared_scale(scorer: Scorer, sample: Sample) -> None:
    scores = scorer.score(sample.features)
    odds = (1 - scores.probability) / scores.probability  # good to bad
    wanted = 760 + 40 / math.log(2) * np.log(odds / 30)
    np.testing.assert_allclose(scores.points, np.clip(wanted, 0, 1000), atol=1e-8)


def test_contributions_are_those_of_lightgbm(scorer: Scorer, fitted: VersionContent, sample: Sample) -> None:
    contributions = lightgbm.Booster(model_str=fitted.text).predict(sample.features[:200], pred_contrib=True)
    slope = fitted.scorecard["calibration"]["slope"]
    scores = scorer.score(sample.features[:200])
    np.testing.assert_allclose(scores.point_contributions, -40 / math.log(2) * slope * contributions[:, :-1], atol=1e-9)


def test_one_row_alone_scores_as_it_does_in_a_batch(scorer: Scorer, sample: Sample) -> None:
    many = scorer.score(sample.features[:50])
    for row in range(50):
        one = scorer.score(sample.features[row : row + 1])
        assert one.points[0] == many.points[row]
        assert np.array_equal(one.point_contributions[0], many.point_contributions[row])


def test_a_missing_value_stays_missing(scorer: Scorer) -> None:
    row = np.array([[1.0, 5.0, 0.0, np.nan, np.nan]])
    zero = np.array([[1.0, 5.0, 0.0, 0.0, np.nan]])
    assert scorer.score(row).points[0] != scorer.score(zero).points[0]


def test_rules_judge_directly_and_cap(scorer: Scorer) -> None:
    best = scorer.score(np.array([[0.0, 30.0, 0.0, 5.0, np.nan], [np.nan, 30.0, 0.0, 5.0, np.nan]]))
    assert best.rule_hits == [(), ()]
    ruled = scorer.score(np.array([[4.0, 30.0, 0.0, 5.0, np.nan], [6.0, 30.0, 0.0, 5.0, np.nan]]))
    assert ruled.grades[0] in ("C", "C-", "D")
    assert ruled.grades[1] == "D"
    assert [len(hits) for hits in ruled.rule_hits] == [1, 2]


def test_grades_fall_with_points(scorer: Scorer, sample: Sample) -> None:
    scores = scorer.score(sample.features)
    cuts = dict(invented.GRADES)
    for points, grade, hits in zip(scores.points, scores.grades, scores.rule_hits, strict=True):
        if not hits:
            assert grade == next(name for name, cut in invented.GRADES if points >= cut)
        assert points >= cuts[grade]


@settings(max_examples=200, deadline=None)
@given(st.lists(st.floats(-200, 200), min_size=5, max_size=5), st.floats(0, 1000))
def test_printed_reasons_sum_to_the_printed_points(contributions: list[float], base: float) -> None:
    card = scorecard.read(invented.declaration() | {"calibration": {"slope": 1.0, "intercept": 0.0}})
    points = base + sum(contributions)
    reasons = card.reasons(base, points, np.array(contributions))
    assert round(base * 100) + sum(round(r.points * 100) for r in reasons) == round(points * 100)
    exact = dict(zip(card.names, contributions, strict=True))
    assert all(abs(r.points - exact[r.feature]) < 0.0201 for r in reasons)
    assert [abs(r.points) for r in reasons] == sorted((abs(r.points) for r in reasons), reverse=True)


def test_points_end_where_the_scale_ends(fitted: VersionContent, sample: Sample) -> None:
    narrow = fitted.scorecard | {"scale": fitted.scorecard["scale"] | {"minimum": 640, "maximum": 700}}
    scores = Scorer.of(fitted.text, narrow).score(sample.features)
    assert (scores.points.min(), scores.points.max()) == (640, 700)
    total = scores.base_points + scores.point_contributions.sum(axis=1)
    assert np.max(np.abs(total - scores.points)) < 1e-9


def test_explain_is_the_score_in_words(scorer: Scorer, sample: Sample) -> None:
    scores = scorer.score(sample.features[:1])
    reasons = scorer.explain(sample.features[0])
    cents = round(scores.base_points * 100) + sum(round(r.points * 100) for r in reasons)
    assert cents == round(float(scores.points[0]) * 100)
    assert reasons[0].zh
    assert reasons[0].en


def test_other_shapes_and_infinities_are_refused(scorer: Scorer) -> None:
    for wrong in (np.zeros(5), np.zeros((1, 4)), np.full((1, 5), np.inf)):
        with pytest.raises(Malformed):
            scorer.score(wrong)
    assert len(scorer.score(np.zeros((0, 5))).points) == 0


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("calibration", {"slope": -1.0, "intercept": 0.0}),
        ("calibration", None),
        ("grades", [["A", 1], ["B", 2]]),
        ("grades", [["A", 2], ["A", 1]]),
        ("grades", []),
        ("features", []),
        ("rules", [{"feature": "no", "at_least": 1, "grade": "D", "reason": {"zh": "", "en": ""}}]),
        ("rules", [{"feature": "fines", "at_least": 1, "grade": "Z", "reason": {"zh": "", "en": ""}}]),
        ("scale", {"points": 760, "odds": 30, "double_odds": -40, "minimum": 0, "maximum": 1000}),
        ("scale", {"points": 760, "odds": 0, "double_odds": 40, "minimum": 0, "maximum": 1000}),
        ("scale", {"points": 7600, "odds": 30, "double_odds": 40, "minimum": 0, "maximum": 1000}),
        ("scale", None),
    ],
)
def test_a_scorecard_that_makes_no_sense_is_refused(fitted: VersionContent, part: str, value: object) -> None:
    with pytest.raises(Malformed):
        Scorer.of(fitted.text, fitted.scorecard | {part: value})


def test_a_file_that_is_missing_or_no_json_is_refused(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(Missing):
        Scorer.load(tmp_path)
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    (copy / "version.json").write_text("[1]")
    with pytest.raises(Malformed):
        Scorer.load(copy)


def test_golden_rows_catch_a_changed_scorecard(folder: Path, tmp_path: Path) -> None:
    check_golden(folder)
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    document = json.loads((copy / "version.json").read_text())
    document["calibration"]["intercept"] += 0.001
    (copy / "version.json").write_text(json.dumps(document))
    with pytest.raises(Broken, match="golden"):
        check_golden(copy)
