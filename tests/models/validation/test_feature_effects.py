"""Feature effects say what the model does with its features, and nothing of single subjects."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from models.dataset.sample import Sample
from models.scoring.scorer import Scorer
from models.training.fit import VersionContent
from models.validation.feature_effects import VALUES, feature_effects


@pytest.fixture(scope="module")
def scorer(fitted: VersionContent) -> Scorer:
    return Scorer.of(fitted.text, fitted.scorecard)


@pytest.fixture(scope="module")
def effects(scorer: Scorer, sample: Sample) -> dict[str, Any]:
    return feature_effects(scorer, np.asarray(sample.features))


def test_the_evidence_of_a_version_has_them(fitted: VersionContent) -> None:
    assert list(fitted.evidence["importance"]) == sorted(
        fitted.evidence["importance"], key=lambda name: (-fitted.evidence["importance"][name], name)
    )
    assert set(fitted.evidence["dependence"]) <= set(fitted.evidence["importance"])


def test_points_follow_the_declared_direction(scorer: Scorer, effects: dict[str, Any]) -> None:
    directions = {feature.name: feature.direction for feature in scorer.card.features}
    directed = [name for name in effects["dependence"] if directions[name]]
    assert directed
    for name in directed:
        steps = np.diff([*effects["dependence"][name]["points"], effects["dependence"][name]["above"]])
        assert (steps * directions[name] <= 0).all(), "what raises the risk lowers the points"


def test_values_are_thresholds_of_the_model_and_points_are_whole(scorer: Scorer, effects: dict[str, Any]) -> None:
    for name, each in effects["dependence"].items():
        place = scorer.card.names.index(name)
        thresholds = {float(at) for tree in scorer.forest.trees for at in tree.threshold[tree.split_feature == place]}
        assert set(each["values"]) <= thresholds
        assert len(each["points"]) == len(each["values"]) <= VALUES
        assert all(isinstance(points, int) for points in (*each["points"], each["above"], each["missing"]))


def test_means_are_those_of_scoring_every_row_with_the_value(
    scorer: Scorer, sample: Sample, effects: dict[str, Any]
) -> None:
    name, each = next(iter(effects["dependence"].items()))
    rows = np.array(sample.features)[:: -(-len(sample.features) // 1_000)]
    rows[:, scorer.card.names.index(name)] = each["values"][0]
    assert each["points"][0] == round(float(scorer.score(rows).points.mean()))


def test_the_values_of_one_subject_change_no_mean_by_more_than_a_point(scorer: Scorer, sample: Sample) -> None:
    """One of a thousand rows, exchanged for any other, moves no mean by more than a rounding."""
    features = np.array(sample.features)[:1_000]
    other = features.copy()
    other[0] = features[1]
    first, second = (feature_effects(scorer, rows)["dependence"] for rows in (features, other))
    for name in first.keys() & second.keys():
        assert np.abs(np.subtract(first[name]["points"], second[name]["points"])).max() <= 1


@pytest.mark.parametrize("limit", [np.inf, np.finfo(np.float64).max])
def test_a_split_that_separates_values_from_missing_ones_has_no_value_to_show(
    scorer: Scorer, sample: Sample, limit: float
) -> None:
    first, *others = scorer.forest.trees
    trees = (replace(first, threshold=np.full_like(first.threshold, limit)), *others)
    for changed in (trees, trees[:1]):
        forest = replace(scorer.forest, trees=changed)
        for each in feature_effects(replace(scorer, forest=forest), sample.features)["dependence"].values():
            assert len(each["points"]) == len(each["values"])
            assert all(abs(value) < limit for value in each["values"])
