"""Whether the AUC has fallen below that of the reference, by vintage, as labels ripen.

Two tests share the run length: one month alone (Shewhart 1931), which sees a large fall at once, and the sum over
months (CUSUM, Page 1954), which sees a fall too small for one month. The reference's own error is inside the error of
each month: left out, a reference that was lucky would raise alarms for years.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence

import numpy as np
from scipy import special

from models.monitoring.delong import MeasuredAuc, measured_auc
from models.monitoring.run_length import mean_run_length, sum_limit, summed
from models.monitoring.thresholds import MonitoringThresholds
from models.monitoring.vintages import Vintage
from models.monitoring.watch_result import WatchResult, WatchState

DISCRIMINATION = "discrimination"


def discrimination_watch(
    reference: MeasuredAuc, vintages: Sequence[Vintage], thresholds: MonitoringThresholds
) -> list[WatchResult]:
    """One result a ripe vintage, oldest first; ``value`` is the fall of the AUC and ``limit`` that of one month alone.

    A month with too few defaulted subjects gives a result that says so, and adds nothing to the sum.
    """
    measured = [measured_auc(*vintage.labelled) for vintage in vintages]
    usable = [
        auc.positives >= thresholds.auc_positives_at_least and auc.error > 0 for auc in measured
    ]  # a NaN error is not above 0
    errors = [math.hypot(auc.error, reference.error) for auc in measured]
    alone = float(-special.ndtri(1 / thresholds.auc_run_length_months))
    results: list[WatchResult] = []
    z: list[float] = []
    for vintage, auc, error, is_usable in zip(vintages, measured, errors, usable, strict=True):
        rows = auc.positives + auc.negatives
        if not is_usable:
            results.append(WatchResult(DISCRIMINATION, vintage.month, WatchState.TOO_FEW, rows))
            continue
        z.append((reference.auc - auc.auc) / error)
        typical = statistics.median(e for e, good in zip(errors[: len(results) + 1], usable, strict=False) if good)
        k = round(thresholds.auc_fall / typical / 2, 2)
        h = sum_limit(k, thresholds.auc_run_length_months)
        sums, alarms = summed(np.array(z), k, h)
        months = months_to_see(thresholds.auc_fall, typical, thresholds)
        state = WatchState.ALARM if z[-1] > alone or alarms[-1] else WatchState.OK
        if state is WatchState.OK and months > thresholds.months_to_see_at_most:
            state = WatchState.TOO_FEW
        evidence = (
            ("auc", auc.auc), ("reference_auc", reference.auc), ("error", error), ("positives", float(auc.positives)),
            ("z", z[-1]), ("sum", sums[-1]), ("sum_limit", h), ("months_to_see", months),
            ("maturity", vintage.maturity),
        )  # fmt: skip
        fall, chance = reference.auc - auc.auc, float(special.ndtr(-z[-1]))
        results.append(WatchResult(DISCRIMINATION, vintage.month, state, rows, fall, alone * error, chance, evidence))
    return results


def months_to_see(fall: float, error: float, thresholds: MonitoringThresholds) -> float:
    """The mean number of months of ripe labels until the sum sees this fall, with this error of a month."""
    k = round(thresholds.auc_fall / error / 2, 2)
    return mean_run_length(k, sum_limit(k, thresholds.auc_run_length_months), fall / error)
