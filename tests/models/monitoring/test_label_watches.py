"""A month with labels alarms when its AUC or its default rate has moved further than its size explains."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from bench.monitoring.months import World
from models.metrics.discrimination import auc
from models.monitoring.calibration_watch import (
    DefaultCount,
    SystematicFactor,
    calibration_watch,
    systematic_factor,
)
from models.monitoring.delong import MeasuredAuc, measured_auc
from models.monitoring.discrimination_watch import discrimination_watch, months_to_see
from models.monitoring.estimated_auc import estimate_watch, estimated_auc
from models.monitoring.run_length import mean_run_length, sum_limit, summed
from models.monitoring.thresholds import monitoring_thresholds
from models.monitoring.vintages import Vintage, ripe_on
from models.monitoring.watch_result import WatchState

THRESHOLDS = monitoring_thresholds()
REFERENCE = MeasuredAuc(0.78, 0.005, 2_500, 47_500)


def world(seed: int, rows: int = 17_000, phi: float = 0.03) -> World:
    return World(np.random.default_rng(seed), rows, phi)


def test_the_auc_is_that_of_all_pairs_and_its_error_that_of_repeated_months() -> None:
    months = [world(seed, 2_000).vintage("2026-01") for seed in range(200)]
    measured = [measured_auc(month.outcome, month.probability) for month in months]
    assert measured[0].auc == pytest.approx(auc(months[0].outcome, months[0].probability))
    assert np.mean([each.error for each in measured]) == pytest.approx(
        np.std([each.auc for each in measured]), rel=0.15
    )


def test_ties_count_half() -> None:
    assert measured_auc(np.array([0, 0, 1, 1]), np.full(4, 0.5)).auc == 0.5


def test_the_run_length_is_the_published_one() -> None:
    # Two-sided k = .5, h = 4.77 alarms once in 370 months (Montgomery, Introduction to Statistical Quality Control).
    assert mean_run_length(0.5, 4.77) == pytest.approx(740, rel=0.02)
    assert mean_run_length(0.5, sum_limit(0.5, 1_500)) == pytest.approx(1_500, rel=0.01)


def test_a_sum_starts_from_zero_after_its_alarm() -> None:
    values, alarms = summed(np.array([3.0, 3.0, 0.6]), 0.5, 4.0)
    assert values == pytest.approx([2.5, 5.0, 0.1])
    assert alarms == [False, True, False]


def test_a_large_fall_of_the_auc_alarms_in_its_first_month() -> None:
    months = [*world(1).months(3), world(2).vintage("2001-01", auc=0.70)]
    states = [result.state for result in discrimination_watch(REFERENCE, months, THRESHOLDS)]
    assert states == [WatchState.OK] * 3 + [WatchState.ALARM]


def test_a_rise_of_the_auc_is_no_alarm() -> None:
    result = discrimination_watch(REFERENCE, [world(2).vintage("2001-01", auc=0.86)], THRESHOLDS)[0]
    assert result.state is WatchState.OK
    assert result.value is not None
    assert result.value < 0


@pytest.mark.parametrize("outcome", [np.zeros(500), np.ones(500), np.full(500, np.nan)])
def test_a_month_of_one_outcome_or_of_none_is_too_few(outcome: np.ndarray) -> None:
    month = Vintage("2026-01", np.full(500, 0.02), outcome, date(2026, 1, 1))
    results = discrimination_watch(REFERENCE, [month], THRESHOLDS)
    assert [result.state for result in results] == [WatchState.TOO_FEW]


def test_a_small_month_states_when_a_fall_would_be_seen() -> None:
    months = world(3, 1_700).months(2)
    result = discrimination_watch(REFERENCE, months, THRESHOLDS)[-1]
    assert 4 < dict(result.evidence)["months_to_see"] < 24
    assert months_to_see(0.03, 0.2, THRESHOLDS) > THRESHOLDS.months_to_see_at_most


def test_a_factor_is_assumed_from_few_months_and_estimated_from_many() -> None:
    few, many = ([DefaultCount.of(month) for month in world(4, phi=0.10).months(n)] for n in (23, 120))
    assert systematic_factor(few, THRESHOLDS) == SystematicFactor(THRESHOLDS.factor_assumed, 0)
    assert systematic_factor(many, THRESHOLDS).value == pytest.approx(0.10, abs=0.025)


@pytest.mark.parametrize("shift", [0.6, 1.5])
def test_a_default_rate_that_moved_alarms_in_both_directions(shift: float) -> None:
    month = world(5).vintage("2026-01", shift=shift)
    result = calibration_watch([month], SystematicFactor(0.05, 36), THRESHOLDS)[0]
    assert result.state is WatchState.ALARM
    assert result.value == pytest.approx(shift - 1, abs=0.12)


def test_a_deviation_that_the_systematic_factor_explains_is_no_alarm() -> None:
    month = world(6, phi=0.0).vintage("2026-01", shift=1.2)
    states = [calibration_watch([month], SystematicFactor(phi, 0), THRESHOLDS)[0].state for phi in (0.0, 0.15)]
    assert states == [WatchState.ALARM, WatchState.OK]


def test_an_estimate_is_that_of_all_pairs_and_only_a_hint() -> None:
    q = np.random.default_rng(7).random(40)
    above = sum(q[i] * (1 - q[j]) * (q[i] > q[j]) for i in range(40) for j in range(40) if i != j)
    pairs = sum(q[i] * (1 - q[j]) for i in range(40) for j in range(40) if i != j)
    assert estimated_auc(q) == pytest.approx(above / pairs)
    assert estimate_watch("2026-01", np.full(9, 0.5), 0.9).state is WatchState.HINT


def test_a_month_is_ripe_when_the_window_of_its_last_subject_has_closed() -> None:
    month = Vintage("2025-12", np.zeros(1), np.zeros(1), ripe_on("2025-12", 6, 31))
    assert month.ripe_on == date(2026, 8, 1)
    assert not month.is_ripe(date(2026, 7, 31))
    assert month.is_ripe(date(2026, 8, 1))
