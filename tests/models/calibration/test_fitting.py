"""The ways to calibrate are what their papers say, and each is taken where its form is the truth, and only there."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression

from credit.errors import Refused
from models.calibration.fitting import FITS, MINIMUM_SLOPE, fit_beta, fit_isotonic, pool_adjacent_violators
from models.calibration.platt import fit_platt, smoothed_targets
from models.calibration.selection import CalibrationChoice, cross_fit, figures, paired_difference, select_calibration
from models.metrics.logistic_regression import sigmoid

FORMS = {  # true log-odds of a margin
    "platt": lambda raw: 0.8 * raw - 0.2,
    "beta": lambda raw: 2.0 * np.logaddexp(0, raw) - 0.25 * np.logaddexp(0, -raw) - 2.5,
    "isotonic": lambda raw: np.where(raw < -2, -4.0, np.where(raw < -1, -1.0, 0.5)),
}


def drawn(rows: int, seed: int, form: str = "beta") -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    raw = random.normal(-2, 1.5, rows)
    return (random.random(rows) < sigmoid(FORMS[form](raw))).astype(int), raw


def taken(rows: int, seed: int, form: str, asked: str = "best") -> CalibrationChoice:
    labels, raw = drawn(rows, seed, form)
    subjects = [f"{number // 2}" for number in range(rows)]
    return select_calibration(labels, raw, (np.arange(rows) // 2) % 3, subjects, asked, 40)


def test_pools_are_the_isotonic_regression_of_scikit_learn() -> None:
    labels, raw = drawn(800, 1)
    values, place, rows = np.unique(np.round(raw, 1), return_inverse=True, return_counts=True)
    means = np.bincount(place, weights=labels) / rows
    _, y, many = pool_adjacent_violators(values, means, rows.astype(float))
    peer = IsotonicRegression().fit_transform(values, means, sample_weight=rows)
    levels, counts = np.unique(peer, return_inverse=True)
    np.testing.assert_allclose(y, levels, atol=1e-9)
    np.testing.assert_allclose(many, np.bincount(counts, weights=rows))


def test_isotonic_passes_through_its_groups_and_every_knot_tells_of_enough_rows() -> None:
    labels, raw = drawn(20_000, 8, "isotonic")
    way = fit_isotonic(labels, raw, 100)
    inner = way.margins[1:-1]
    between = np.histogram(raw, bins=[-np.inf, *inner, np.inf])[0]
    assert between[1:-1].min() > 50, "half of the rows of each of two neighbours"
    told = sigmoid(way.log_odds(raw))
    assert np.mean(told) == pytest.approx(np.mean(labels), abs=5e-3)
    for low, high, truth in ((-9, -2.2, -4.0), (-1.8, -1.2, -1.0), (-0.8, 9, 0.5)):
        assert np.mean(told[(raw > low) & (raw < high)]) == pytest.approx(sigmoid(np.array(truth)), abs=0.02)


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
    labels, raw = drawn(5000, 2)
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


@pytest.mark.parametrize("form", ["platt", "beta", "isotonic"])
def test_what_has_the_true_form_is_taken(form: str) -> None:
    chosen = taken(20_000, 3, form)
    assert chosen.selected.kind == form
    assert chosen == taken(20_000, 3, form), "the same rows choose the same"
    later = chosen.as_evidence(*drawn(20_000, 4, form))
    losses = {kind: each["out_of_time"]["log_loss"] for kind, each in later.items()}
    assert losses[form] == min(losses.values())
    assert [kind for kind, each in later.items() if each["taken"]] == [form]


def test_a_small_sample_keeps_its_line() -> None:
    kinds = [taken(600, seed, "platt").selected.kind for seed in range(40)]
    assert kinds.count("platt") >= 32, "one standard error is passed by chance in a sixth of the cases at the most"
    assert kinds.count("isotonic") <= 2


@pytest.mark.parametrize("asked", ["platt", "beta", "isotonic"])
def test_an_order_may_pin_the_kind(asked: str) -> None:
    assert taken(2000, 3, "isotonic", asked).selected.kind == asked


def test_a_row_is_told_by_a_map_that_did_not_see_its_fold() -> None:
    labels, raw = drawn(3000, 6)
    fold = np.arange(3000) % 3
    for kind, fit in FITS.items():
        odds = cross_fit(kind, labels, raw, fold, 40)
        flipped = np.where(fold == 1, 1 - labels, labels)
        again = cross_fit(kind, flipped, raw, fold, 40)
        assert np.array_equal(odds[fold == 1], again[fold == 1])
        assert not np.array_equal(odds[fold == 0], again[fold == 0])
        alone = fit(labels[fold != 2], raw[fold != 2], 40)
        assert np.array_equal(odds[fold == 2], alone.log_odds(raw[fold == 2]))


def test_where_a_fold_cannot_be_told_the_line_stays() -> None:
    raw = np.linspace(-2, 2, 300)
    labels = (raw > 0).astype(int)
    fold = np.where(labels == 1, 0, 1)  # without one fold, one outcome is left
    labels[:3], labels[-3:] = 1, 0  # and there the margins rank backwards
    chosen = select_calibration(labels, raw, fold, [f"{n}" for n in range(300)], "best", 40)
    assert (chosen.selected.kind, chosen.cross_fitted) == ("platt", {})
    assert chosen.as_evidence()["platt"] == {"taken": True, "cross_fitted": None, "out_of_time": None}
    with pytest.raises(Refused, match="does not rank"):
        select_calibration(labels, -raw, fold, [f"{n}" for n in range(300)], "beta", 40)


def test_the_error_of_a_difference_is_over_subjects() -> None:
    random = np.random.default_rng(9)
    one = random.normal(size=500)
    names = [f"{number}" for number in range(500)]
    mean, error = paired_difference(one, names)
    assert mean == pytest.approx(one.mean())
    assert error == pytest.approx(one.std(ddof=1) / np.sqrt(500))
    again = paired_difference(np.repeat(one, 4), [name for name in names for _ in range(4)])
    assert again == pytest.approx((mean, error)), "the same subject told four times says no more"


def test_figures_are_those_of_their_definitions() -> None:
    labels, raw = drawn(4000, 10, "platt")
    odds = fit_platt(labels, raw).log_odds(raw)
    p = 1 / (1 + np.exp(-odds))
    told = figures(labels, odds)
    assert told["log_loss"] == pytest.approx(-np.mean(labels * np.log(p) + (1 - labels) * np.log(1 - p)))
    assert told["brier"] == pytest.approx(np.mean((p - labels) ** 2))
    assert 0 <= told["ece"] < 0.03
