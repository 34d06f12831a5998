"""Every figure is what scikit-learn says it is, and what has no peer there is what its formula says."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import brier_score_loss, roc_auc_score, roc_curve

from credit.errors import Refused
from models.calibration.platt import fit_platt
from models.metrics import calibration, discrimination, stability
from models.metrics.logistic_regression import logistic_line, sigmoid


def drawn(rows: int = 2000, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    raw = np.round(random.normal(size=rows), 2)  # rounded: many ties
    return (random.random(rows) < sigmoid(1.2 * raw - 2)).astype(np.int8), raw


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.integers(-5, 5)), min_size=2, max_size=60))
def test_auc_ks_and_roc_are_those_of_scikit_learn(rows: list[tuple[bool, int]]) -> None:
    labels, scores = (np.array(column) for column in zip(*rows, strict=True))
    if len(set(labels.tolist())) < 2:
        assert np.isnan(discrimination.auc(labels, scores))
        return
    assert discrimination.auc(labels, scores) == pytest.approx(roc_auc_score(labels, scores), abs=1e-12)
    false, true, _ = roc_curve(labels, scores, drop_intermediate=False)
    curve = discrimination.roc(labels, scores)
    np.testing.assert_allclose(curve[0], false, atol=1e-12)
    np.testing.assert_allclose(curve[1], true, atol=1e-12)
    assert discrimination.ks(labels, scores) == pytest.approx(np.max(np.abs(true - false)))


def test_brier_is_that_of_scikit_learn() -> None:
    labels, raw = drawn()
    p = sigmoid(raw)
    assert discrimination.brier(labels, p) == pytest.approx(brier_score_loss(labels, p))


def test_the_calibration_line_is_a_logistic_regression() -> None:
    labels, raw = drawn()
    theirs = LogisticRegression(C=np.inf, tol=1e-10, max_iter=1000).fit(raw[:, None], labels)
    slope, intercept = logistic_line(labels.astype(float), raw)
    assert slope == pytest.approx(theirs.coef_[0, 0], abs=1e-4)
    assert intercept == pytest.approx(theirs.intercept_[0], abs=1e-4)


def test_a_calibrated_model_measures_as_one() -> None:
    labels, raw = drawn(20_000)
    measured = calibration.measure(labels, fit_platt(labels, raw).log_odds(raw).clip(-30, 30) * 0 + 0.5)
    assert measured["ece"] > 0.2
    p = sigmoid(fit_platt(labels, raw).log_odds(raw))
    measured = calibration.measure(labels, p)
    assert measured["slope"] == pytest.approx(1, abs=0.01)
    assert measured["ratio"] == pytest.approx(1, abs=0.01)
    assert measured["ece"] < 2.5 * measured["ece_noise"]


def test_platt_refuses_a_model_that_ranks_backwards() -> None:
    labels, raw = drawn()
    with pytest.raises(Refused, match="does not rank"):
        fit_platt(labels, -raw)


def test_the_interval_holds_the_true_value_at_about_its_stated_rate() -> None:
    """The true AUC of two normals one apart is Φ(1/√2) = 0.7602."""
    covered = 0
    for seed in range(40):
        random = np.random.default_rng(seed)
        labels = (random.random(300) < 0.4).astype(int)
        interval = discrimination.auc_interval(labels, random.normal(size=300) + labels)
        covered += interval.low <= 0.7602 <= interval.high
    assert covered >= 34


def test_an_interval_over_subjects_is_wider_than_one_over_rows() -> None:
    labels, raw = drawn(300)
    groups = np.repeat(np.arange(300), 8)
    labels, raw = np.repeat(labels, 8), np.repeat(raw, 8)
    rows, subjects = discrimination.auc_interval(labels, raw), discrimination.auc_interval(labels, raw, groups)
    assert subjects.high - subjects.low > 2 * (rows.high - rows.low)


def test_the_gain_over_oneself_is_nothing_and_over_noise_is_sure() -> None:
    labels, raw = drawn()
    same, share = discrimination.auc_gain(labels, raw, raw)
    assert (same.value, same.low, same.high, share) == (0, 0, 0, 0)
    noise = np.random.default_rng(0).normal(size=len(raw))
    gain, share = discrimination.auc_gain(labels, raw, noise)
    assert gain.low > 0
    assert share == 1


def test_the_stability_index_is_its_formula() -> None:
    early, late = np.repeat([0, 1], [50, 50]), np.repeat([0, 1], [25, 75])
    wanted = (0.25 - 0.5) * np.log(0.25 / 0.5) + (0.75 - 0.5) * np.log(0.75 / 0.5)
    assert stability.stability_index(early, late, np.array([0.5])) == pytest.approx(wanted)
    assert stability.stability_index(early, early, np.array([0.5])) == 0
    assert np.isfinite(stability.stability_index(early, late + 5, np.array([0.5, 3.0])))


def test_the_interval_of_stability_holds_the_index_and_sees_a_moved_feature() -> None:
    random = np.random.default_rng(3)
    subjects = np.repeat(np.arange(800), 2)
    late = np.tile([False, True], 800)
    still = random.integers(0, 10, 1600)
    moved = np.where(late, np.minimum(still + 3, 9), still)
    calm, drifted = (stability.stability_interval(each, late, 10, subjects) for each in (still, moved))
    assert calm.low <= calm.value <= calm.high < 0.1 < 0.25 < drifted.low <= drifted.value <= drifted.high
    edges = np.arange(1, 10)  # the same bins through the other function
    assert stability.stability_index(still[~late], still[late], edges) == pytest.approx(calm.value)
