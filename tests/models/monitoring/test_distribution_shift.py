"""A distribution that moved is an alarm where the month's size can show it; one that did not move is none."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.monitoring.distribution_shift import ReferenceBins, missing_test, shift_test
from models.monitoring.distribution_watch import MISSING, feature_watches, score_watch
from models.monitoring.false_discovery import adjusted
from models.monitoring.thresholds import monitoring_thresholds
from models.monitoring.watch_result import WatchState

THRESHOLDS = monitoring_thresholds()
REFERENCE = np.full(10, 5_000.0)


def moved(index: float, rows: int) -> np.ndarray:
    """Counts whose shares differ from tenths so that the stability index is about ``index``."""
    step = np.sqrt(index / 10) * 0.1 * np.sqrt(10) * np.tile([1.0, -1.0], 5)
    return np.round((0.1 + step) * rows)


@pytest.mark.parametrize(
    ("rows", "state"), [(290, WatchState.TOO_FEW), (1_000, WatchState.OK), (17_000, WatchState.ALARM)]
)
def test_the_limit_of_a_month_follows_from_its_subjects(rows: int, state: WatchState) -> None:
    assert score_watch("2026-01", REFERENCE, moved(0.03, rows), THRESHOLDS).state is state


def test_a_smaller_month_has_a_wider_limit() -> None:
    limits = [shift_test(REFERENCE, np.full(10, rows / 10), 0.01).limit(1 / 1200) for rows in (300, 3_000, 17_000)]
    assert limits == sorted(limits, reverse=True)
    assert limits[0] == pytest.approx(0.122, abs=0.002)
    assert limits[-1] == pytest.approx(0.017, abs=0.001)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.one_of(st.floats(-1e6, 1e6), st.just(float("nan"))), min_size=0, max_size=200))
def test_every_value_is_in_one_bin(values: list[float]) -> None:
    bins = ReferenceBins.of(np.array(values))
    assert sum(bins.counts) == len(values)
    assert bins.count(np.array(values[:7])).sum() == min(7, len(values))


def test_the_p_of_a_shift_at_the_tolerated_index_is_about_one_half() -> None:
    tested = shift_test(np.full(10, 1e7), moved(0.0100, 100_000), 0.01)
    assert 0.2 < tested.p < 0.8


def test_values_that_are_missing_now_and_never_were_before_alarm() -> None:
    before, now = np.append(REFERENCE, 0.0), np.append(np.full(10, 1_500.0), 2_000.0)
    assert missing_test(before, now, 0.01).p < 1e-6
    assert missing_test(before, np.append(np.full(10, 1_690.0), 100.0), 0.01).p > 0.01
    first = feature_watches("2026-01", {"steady": (before, before), "fading": (before, now)}, THRESHOLDS)[0]
    assert first.watch.endswith("fading")
    assert first.state is WatchState.ALARM


def test_an_empty_month_is_too_few_and_no_error() -> None:
    results = feature_watches("2026-01", {"a": (np.append(REFERENCE, 5.0), np.zeros(11))}, THRESHOLDS)
    assert {result.state for result in results} == {WatchState.TOO_FEW}
    assert any(result.watch.startswith(MISSING) for result in results)


def test_a_design_effect_makes_a_shift_less_certain() -> None:
    counts = moved(0.03, 17_000)
    assert shift_test(REFERENCE, counts, 0.01, design_effect=3.0).p > shift_test(REFERENCE, counts, 0.01).p


@given(st.dictionaries(st.text(min_size=1, max_size=3), st.floats(0, 1), min_size=1, max_size=30))
def test_adjusted_values_keep_the_order_and_are_never_smaller(p: dict[str, float]) -> None:
    values = adjusted(p)
    assert set(values) == set(p)
    assert all(values[name] >= p[name] and values[name] <= 1 for name in p)
    names = sorted(p, key=lambda name: p[name])
    assert [values[name] for name in names] == sorted(values.values())


def test_adjusted_values_of_a_worked_example() -> None:
    p = {"a": 0.01, "b": 0.04, "c": 0.03, "d": 0.005}  # by hand: .005·4/1, .01·4/2, .03·4/3, .04·4/4
    assert adjusted(p) == pytest.approx({"d": 0.02, "a": 0.02, "c": 0.04, "b": 0.04})
