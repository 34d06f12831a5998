"""The ways to calibrate are what their papers say, and each is best where its form is the truth."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression

from models.calibration import fit_platt, sigmoid
from models.calibrators import compare, fit_beta, fit_isotonic


def drawn(rows: int, seed: int, bent: bool) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    raw = random.normal(-2, 1.5, rows)
    odds = np.where(raw < -2, 0.3 * raw - 1.9, 1.4 * raw + 0.3) if bent else 0.8 * raw - 0.2
    return (random.random(rows) < sigmoid(odds)).astype(int), raw


def test_isotonic_is_that_of_scikit_learn() -> None:
    labels, raw = drawn(800, 1, True)
    raw = np.round(raw, 1)
    peer = IsotonicRegression(out_of_bounds="clip").fit(raw, labels)
    points = np.linspace(-8, 5, 200)
    np.testing.assert_allclose(fit_isotonic(labels, raw)(points), peer.predict(points), atol=1e-9)


def test_beta_is_a_logistic_regression_on_both_logarithms() -> None:
    labels, raw = drawn(5000, 2, True)
    both = np.column_stack([-np.logaddexp(0, -raw), np.logaddexp(0, raw)])
    peer = LogisticRegression(C=1e9, tol=1e-10, max_iter=1000).fit(both, labels)
    assert (peer.coef_ > 0).all(), "the case is one where no bound holds"
    np.testing.assert_allclose(fit_beta(labels, raw)(raw), peer.predict_proba(both)[:, 1], atol=1e-5)


def test_beta_rises_everywhere_also_where_a_bound_holds() -> None:
    random = np.random.default_rng(5)
    raw = random.normal(0, 2, 3000)
    labels = (random.random(3000) < sigmoid(np.abs(raw) - 1)).astype(int)  # falls, then rises
    assert (np.diff(fit_beta(labels, raw)(np.linspace(-9, 9, 300))) >= -1e-12).all()


@pytest.mark.parametrize(("bent", "best"), [(False, "platt"), (True, "beta")])
def test_what_has_the_true_form_wins_on_later_rows(bent: bool, best: str) -> None:
    fitted, judged = drawn(20_000, 3, bent), drawn(20_000, 4, bent)
    told = compare(fit_platt(*fitted), fitted, judged)
    losses = {way: each["log_loss"] for way, each in told.items()}
    assert losses[best] <= min(losses.values()) + 2e-4
    if bent:
        assert losses["platt"] > losses["beta"] + 1e-3
