"""The ways to calibrate are what their papers describe."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression

from models.calibration.fitting import MINIMUM_SLOPE, fit_beta, fit_isotonic, pool_adjacent_violators
from models.calibration.platt import smoothed_targets
from models.metrics.logistic_regression import sigmoid
from tests.models.calibration.samples import draw


def test_pools_are_the_isotonic_regression_of_scikit_learn() -> None:
    labels, raw = draw(800, 1)
    values, place, rows = np.unique(np.round(raw, 1), return_inverse=True, return_counts=True)
    means = np.bincount(place, weights=labels) / rows
    _, y, many = pool_adjacent_violators(values, means, rows.astype(float))
    peer = IsotonicRegression().fit_transform(values, means, sample_weight=rows)
    levels, counts = np.unique(peer, return_inverse=True)
    np.testing.assert_allclose(y, levels, atol=1e-9)
    np.testing.assert_allclose(many, np.bincount(counts, weights=rows))


def test_isotonic_passes_through_its_groups_and_every_knot_rests_on_enough_rows() -> None:
    labels, raw = draw(20_000, 8, "isotonic")
    way = fit_isotonic(labels, raw, 100)
    inner = way.margins[1:-1]
    between = np.histogram(raw, bins=[-np.inf, *inner, np.inf])[0]
    assert between[1:-1].min() > 50, "half of the rows of each of two neighbours"
    probability = sigmoid(way.log_odds(raw))
    assert np.mean(probability) == pytest.approx(np.mean(labels), abs=5e-3)
    for low, high, truth in ((-9, -2.2, -4.0), (-1.8, -1.2, -1.0), (-0.8, 9, 0.5)):
        assert np.mean(probability[(raw > low) & (raw < high)]) == pytest.approx(sigmoid(np.array(truth)), abs=0.02)


def test_one_outcome_in_every_group_still_has_finite_odds_that_rise() -> None:
    raw = np.linspace(-3, 3, 400)
    for labels in (np.zeros(400, dtype=int), (raw > 0).astype(int), (raw < 0).astype(int), np.ones(400, dtype=int)):
        labels[:1], labels[-1:] = 1 - labels[0], labels[-1]
        odds = fit_isotonic(labels, raw, 40).log_odds(np.linspace(-9, 9, 1000))
        assert np.isfinite(odds).all()
        assert (np.diff(odds) > 0).all()
    same = fit_isotonic(labels, np.zeros(400), 40)
    assert (np.diff(same.log_odds(np.linspace(-9, 9, 100))) > 0).all()


def test_beta_is_a_logistic_regression_on_both_logarithms() -> None:
    labels, raw = draw(5000, 2)
    both = np.column_stack([-np.logaddexp(0, -raw), np.logaddexp(0, raw)])
    share = smoothed_targets(labels)
    twice, outcome = np.vstack([both, both]), np.repeat([1, 0], len(raw))
    peer = LogisticRegression(C=1e9, tol=1e-10, max_iter=1000)
    peer.fit(twice, outcome, sample_weight=np.concatenate([share, 1 - share]))
    assert (peer.coef_ > MINIMUM_SLOPE).all(), "the case is one where no bound holds"
    np.testing.assert_allclose(sigmoid(fit_beta(labels, raw).log_odds(raw)), peer.predict_proba(both)[:, 1], atol=1e-5)


def test_beta_rises_everywhere_also_where_a_bound_holds() -> None:
    random = np.random.default_rng(5)
    raw = random.normal(0, 2, 3000)
    labels = (random.random(3000) < sigmoid(np.abs(raw) - 1)).astype(int)  # falls, then rises
    way = fit_beta(labels, raw)
    assert MINIMUM_SLOPE == min(way.a, way.b) < max(way.a, way.b)
    assert (np.diff(way.log_odds(np.linspace(-9, 9, 300))) > 0).all()
