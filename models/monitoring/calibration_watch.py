"""Whether as many subjects default as the served probabilities say, by vintage.

In a good year all months are good: the defaults of a month are not independent, and a plain binomial test (or that of
Hosmer and Lemeshow, or Spiegelhalter's) alarms in a tenth of unchanged months. So a month has a systematic factor with
standard deviation φ beside the binomial variance, as in the one-factor model of portfolio risk (Vasicek 2002; for
validation: Basel Committee 2005, working paper 14): z = (D - E) / √(V + φ²E²). φ is estimated by moments from the
months before, and z is then Student's t with one degree of freedom fewer than these months, which is brought to a
normal quantile.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special, stats

from models.monitoring.run_length import sum_limit, summed
from models.monitoring.thresholds import MonitoringThresholds
from models.monitoring.vintages import Vintage
from models.monitoring.watch_result import WatchResult, WatchState

CALIBRATION = "calibration"
SUM_STEP = 0.5  # k of the sum: half of the smallest shift in standard deviations that it is to see


@dataclass(frozen=True, slots=True)
class DefaultCount:
    """Defaults of a vintage: ``observed``, ``expected`` = Σp, and the binomial ``variance`` = Σp(1-p)."""

    observed: float
    expected: float
    variance: float
    rows: int

    @classmethod
    def of(cls, vintage: Vintage) -> DefaultCount:
        """The counts over the subjects whose outcome is known."""
        outcome, p = vintage.labelled
        return cls(float(outcome.sum()), float(p.sum()), float(np.sum(p * (1 - p))), len(p))


@dataclass(frozen=True, slots=True)
class SystematicFactor:
    """φ, the deviation of a month's default rate beyond chance as a share of the rate; ``months`` is 0 if assumed."""

    value: float
    months: int


def systematic_factor(counts: Sequence[DefaultCount], thresholds: MonitoringThresholds) -> SystematicFactor:
    """φ by moments from unchanged months: the variance of D/E about its mean, less what chance gives."""
    usable = [count for count in counts if count.expected >= thresholds.calibration_expected_at_least]
    if len(usable) < thresholds.factor_months_at_least:
        return SystematicFactor(thresholds.factor_assumed, 0)
    ratios = np.array([count.observed / count.expected for count in usable])
    chance = float(np.mean([count.variance / count.expected**2 for count in usable]))
    return SystematicFactor(math.sqrt(max(0.0, float(ratios.var(ddof=1)) - chance)), len(usable))


def calibration_watch(
    vintages: Sequence[Vintage], factor: SystematicFactor, thresholds: MonitoringThresholds
) -> list[WatchResult]:
    """One result a ripe vintage, oldest first: ``value`` is observed over expected less 1, ``limit`` that of one month.

    Both directions alarm: too many defaults, and too few, which costs good borrowers their credit. The run length is
    shared by the two directions, and by the test of one month and the sum.
    """
    run_length = 2 * thresholds.calibration_run_length_months
    alone, h = float(-special.ndtri(1 / run_length)), sum_limit(SUM_STEP, run_length)
    results: list[WatchResult] = []
    z: list[float] = []
    for vintage in vintages:
        count = DefaultCount.of(vintage)
        if count.expected < thresholds.calibration_expected_at_least:
            results.append(WatchResult(CALIBRATION, vintage.month, WatchState.TOO_FEW, count.rows))
            continue
        deviation = math.sqrt(count.variance + (factor.value * count.expected) ** 2)
        z.append(_normal((count.observed - count.expected) / deviation, factor.months))
        (up, up_alarms), (down, down_alarms) = summed(np.array(z), SUM_STEP, h), summed(-np.array(z), SUM_STEP, h)
        is_alarm = abs(z[-1]) > alone or up_alarms[-1] or down_alarms[-1]
        evidence = (
            ("observed", count.observed), ("expected", count.expected), ("factor", factor.value),
            ("factor_months", float(factor.months)), ("z", z[-1]), ("sum_up", up[-1]), ("sum_down", down[-1]),
            ("sum_limit", h), ("maturity", vintage.maturity),
        )  # fmt: skip
        limit = _student(alone, factor.months) * deviation / count.expected
        state, chance = WatchState.ALARM if is_alarm else WatchState.OK, float(2 * special.ndtr(-abs(z[-1])))
        moved = count.observed / count.expected - 1
        results.append(WatchResult(CALIBRATION, vintage.month, state, count.rows, moved, limit, chance, evidence))
    return results


def _normal(value: float, months: int) -> float:
    """The normal quantile with the chance of a t value of ``months`` - 1 degrees; no months: it is normal already."""
    if months < 2:
        return value
    return math.copysign(float(-special.ndtri(max(stats.t.sf(abs(value), months - 1), 1e-300))), value)


def _student(quantile: float, months: int) -> float:
    return quantile if months < 2 else float(stats.t.isf(special.ndtr(-quantile), months - 1))
