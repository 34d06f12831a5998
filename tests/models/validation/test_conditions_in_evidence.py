"""A feature or a rule that is a condition on a few subjects changes no figure of the evidence by which they count."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.dataset.sample import Sample
from models.privacy.floors import load_floors
from models.privacy.merged_parts import merge_bins
from models.scoring.scorer import Scorer
from models.training.fit import VersionContent
from models.validation.evidence import measure
from models.validation.holdout import HoldoutScores

pytestmark = pytest.mark.attack
FLOOR = load_floors().evidence_subjects
VALUES = {"below": -1.0, "above": 1.0, "missing": np.nan, "far above": 1e6}


def _evidence(fitted: VersionContent, sample: Sample, condition: np.ndarray[Any, Any], value: float) -> dict[str, Any]:
    """The evidence of a version whose feature ``blank`` has a value where a condition holds, and a rule on it."""
    place = sample.names.index("blank")
    features = np.array(sample.features)
    features[:, place] = np.where(condition, value, 0.0)
    card = json.loads(json.dumps(fitted.scorecard))
    card["rules"] = [{**card["rules"][0], "feature": "blank", "at_least": 0.5, "grade": card["grades"][-1][0]}]
    scorer, changed = Scorer.of(fitted.text, card), replace(sample, features=features)
    late = np.asarray(sample.out_of_time)
    of_late = {name: np.asarray(getattr(sample, name))[late] for name in ("labels", "subjects", "as_of")}
    raw = scorer.raw(features[late])
    holdout = HoldoutScores(by="out of time", features=features[late], raw=raw, baseline=None, groups={}, **of_late)
    return measure(scorer, changed, holdout)


@pytest.mark.parametrize("value", VALUES.values(), ids=VALUES)
@pytest.mark.parametrize("seed", range(6))
def test_a_condition_on_few_subjects_is_in_no_figure(
    fitted: VersionContent, sample: Sample, value: float, seed: int
) -> None:
    draw = random.Random(seed)
    late = np.flatnonzero(np.asarray(sample.out_of_time) if seed % 2 else np.ones(len(sample.labels), dtype=np.bool_))
    chosen = draw.sample(sorted(set(np.asarray(sample.subjects)[late])), draw.choice([1, 2, 5, FLOOR - 1]))
    nowhere = np.zeros(len(sample.labels), dtype=np.bool_)
    condition = nowhere.copy()
    condition[late] = np.isin(np.asarray(sample.subjects)[late], chosen)
    none, few = (_evidence(fitted, sample, each, value) for each in (nowhere, condition))
    assert few["feature_stability"] == none["feature_stability"]
    # The rule lowers the grade of those whom it meets: of fewer than a handful, at most a rounding of five changes.
    moved = [abs(few["grades"][grade]["rows"] - each["rows"]) for grade, each in none["grades"].items()]
    assert all(each["rows"] % 5 == 0 for each in few["grades"].values())
    if len(chosen) == 1:
        assert max(moved) <= 5
    for grade, each in few["points"]["grades"].items():
        assert all(count % 5 == 0 for count in each), grade


@given(
    st.lists(st.tuples(st.integers(0, 6), st.booleans(), st.integers(0, 30)), min_size=1, max_size=120),
    st.integers(1, 12),
)
def test_no_bin_has_a_few_subjects_of_a_period(rows: list[tuple[int, bool, int]], least: int) -> None:
    bins, period, units = (np.array(each) for each in zip(*rows, strict=True))
    merged = merge_bins(bins, period, units, least)
    numbers = np.unique(merged)
    for number in numbers if len(numbers) > 1 else ():
        for of in (False, True):
            count = len(np.unique(units[(merged == number) & (period == of)]))
            assert count == 0 or count >= least
    pairs = sorted(set(zip(bins.tolist(), merged.tolist(), strict=True)))
    assert len({each for each, _ in pairs}) == len(pairs), "a bin is kept whole"
    assert [m for _, m in pairs] == sorted(m for _, m in pairs), "and in its place"
