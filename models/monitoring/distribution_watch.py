"""The watches of what arrives: the score, each feature, and each feature's share of missing values."""

from __future__ import annotations

from collections.abc import Mapping

from models.monitoring.distribution_shift import Counts, ShiftTest, missing_test, shift_test
from models.monitoring.false_discovery import adjusted
from models.monitoring.thresholds import MonitoringThresholds
from models.monitoring.watch_result import WatchResult, WatchState

SCORE, FEATURE, MISSING = "score", "feature:", "missing:"


def score_watch(month: str, expected: Counts, actual: Counts, thresholds: MonitoringThresholds) -> WatchResult:
    """The score of a month against the reference's, both as counts by bin (B,)."""
    tested = shift_test(expected, actual, thresholds.score_index_tolerated)
    return _result(SCORE, month, tested, tested.p, thresholds)


def feature_watches(
    month: str, pairs: Mapping[str, tuple[Counts, Counts]], thresholds: MonitoringThresholds
) -> list[WatchResult]:
    """Two watches a feature, its values and its missing share; ``pairs`` are counts of the reference and the month.

    All tests of the month are one family of the false discovery control, and the smallest adjusted p comes first.
    """
    tests: dict[str, ShiftTest] = {}
    for name, (expected, actual) in pairs.items():
        tests[FEATURE + name] = shift_test(expected, actual, thresholds.feature_index_tolerated)
        tests[MISSING + name] = missing_test(expected, actual, thresholds.missing_share_tolerated)
    chances = adjusted({name: test.p for name, test in tests.items()})
    ordered = sorted(tests, key=lambda name: (chances[name], -tests[name].distance, name))
    return [_result(name, month, tests[name], chances[name], thresholds, len(tests)) for name in ordered]


def _result(
    watch: str, month: str, tested: ShiftTest, chance: float, thresholds: MonitoringThresholds, family: int = 1
) -> WatchResult:
    share = thresholds.false_month_share
    if tested.rows < thresholds.distribution_rows_at_least:
        state = WatchState.TOO_FEW
    else:
        state = WatchState.ALARM if chance <= share else WatchState.OK
    limit = tested.limit(share / family)  # what one test alone would need; with others beside it the limit is lower
    evidence = (("index", tested.index), ("family", float(family)))
    return WatchResult(watch, month, state, tested.rows, tested.distance, limit, chance, evidence)
