"""A way to calibrate is selected where its form is the truth, and only there."""

from __future__ import annotations

import numpy as np
import pytest

from credit.errors import Refused
from models.calibration.fitting import FITS
from models.calibration.platt import fit_platt
from models.calibration.selection import CalibrationChoice, cross_fit, figures, paired_difference, select_calibration
from tests.models.calibration.samples import draw


def choose(rows: int, seed: int, form: str, kind: str = "best") -> CalibrationChoice:
    labels, raw = draw(rows, seed, form)
    subjects = [f"{number // 2}" for number in range(rows)]
    return select_calibration(labels, raw, (np.arange(rows) // 2) % 3, subjects, kind, 40)


@pytest.mark.parametrize("form", ["platt", "beta", "isotonic"])
def test_the_calibration_of_the_true_form_is_selected(form: str) -> None:
    chosen = choose(20_000, 3, form)
    assert chosen.selected.kind == form
    assert chosen == choose(20_000, 3, form), "the same rows choose the same"
    later = chosen.as_evidence(*draw(20_000, 4, form))
    losses = {kind: each["out_of_time"]["log_loss"] for kind, each in later.items()}
    assert losses[form] == min(losses.values())
    assert [kind for kind, each in later.items() if each["taken"]] == [form]


def test_a_small_sample_keeps_its_line() -> None:
    kinds = [choose(600, seed, "platt").selected.kind for seed in range(40)]
    assert kinds.count("platt") >= 32, "one standard error is passed by chance in a sixth of the cases at the most"
    assert kinds.count("isotonic") <= 2


@pytest.mark.parametrize("kind", ["platt", "beta", "isotonic"])
def test_an_order_may_pin_the_kind(kind: str) -> None:
    assert choose(2000, 3, "isotonic", kind).selected.kind == kind


def test_a_row_is_calibrated_by_a_map_that_did_not_see_its_fold() -> None:
    labels, raw = draw(3000, 6)
    fold = np.arange(3000) % 3
    for kind, fit in FITS.items():
        odds = cross_fit(kind, labels, raw, fold, 40)
        flipped = np.where(fold == 1, 1 - labels, labels)
        again = cross_fit(kind, flipped, raw, fold, 40)
        assert np.array_equal(odds[fold == 1], again[fold == 1])
        assert not np.array_equal(odds[fold == 0], again[fold == 0])
        alone = fit(labels[fold != 2], raw[fold != 2], 40)
        assert np.array_equal(odds[fold == 2], alone.log_odds(raw[fold == 2]))


def test_where_a_fold_cannot_be_fitted_the_line_stays() -> None:
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
    assert again == pytest.approx((mean, error)), "four copies of the rows of a subject add no information"


def test_figures_are_those_of_their_definitions() -> None:
    labels, raw = draw(4000, 10, "platt")
    odds = fit_platt(labels, raw).log_odds(raw)
    p = 1 / (1 + np.exp(-odds))
    measured = figures(labels, odds)
    assert measured["log_loss"] == pytest.approx(-np.mean(labels * np.log(p) + (1 - labels) * np.log(1 - p)))
    assert measured["brier"] == pytest.approx(np.mean((p - labels) ** 2))
    assert 0 <= measured["ece"] < 0.03
