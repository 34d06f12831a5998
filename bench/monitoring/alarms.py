"""How often unchanged months alarm, and how soon a change is seen, on simulated months."""

from __future__ import annotations

import statistics

import numpy as np

from bench.monitoring.months import AUC, REFERENCE_ROWS, World
from bench.record import record
from models.monitoring.calibration_watch import DefaultCount, calibration_watch, systematic_factor
from models.monitoring.discrimination_watch import discrimination_watch
from models.monitoring.distribution_shift import ReferenceBins
from models.monitoring.distribution_watch import feature_watches, score_watch
from models.monitoring.thresholds import monitoring_thresholds
from models.monitoring.vintages import Vintage
from models.monitoring.watch_result import WatchResult, WatchState

DATA = "simulated months, AUC .78, 5 % defaults, reference of 50,000 subjects"
LIVES, MONTHS, HISTORY, FEATURES, TRIALS, MOST = 20, 240, 36, 80, 100, 60
PHI = (0.03, 0.05, 0.10)


def _alarming(results: list[WatchResult]) -> int:
    return sum(result.state is WatchState.ALARM for result in results)


def _life(world: World) -> dict[str, int]:
    """Alarming months by watch in 20 years of unchanged months."""
    thresholds = monitoring_thresholds()
    factor = systematic_factor([DefaultCount.of(month) for month in world.months(HISTORY)], thresholds)
    months = world.months(MONTHS)
    counts = {
        "discrimination": _alarming(discrimination_watch(world.reference(), months, thresholds)),
        "calibration": _alarming(calibration_watch(months, factor, thresholds)),
    }
    return counts | (_arrivals(world, months) if world.phi == PHI[0] else {})


def _arrivals(world: World, months: list[Vintage]) -> dict[str, int]:
    """Alarming months of what arrives; the counts of features are drawn by bin, which is all that the test sees."""
    counts, thresholds = {"score": 0, "features": 0}, monitoring_thresholds()
    shares = np.full(11, 0.098)
    shares[-1] = 0.02
    first = World(world.random, REFERENCE_ROWS, world.phi).vintage("1999-01")
    bins = ReferenceBins.of(first.probability)
    reference = world.random.multinomial(REFERENCE_ROWS, shares, size=FEATURES)
    for month in months:
        counts["score"] += _alarming(
            [score_watch(month.month, np.array(bins.counts), bins.count(month.probability), thresholds)]
        )
        actual = world.random.multinomial(world.rows, shares, size=FEATURES)
        pairs = {str(n): (reference[n].astype(float), actual[n].astype(float)) for n in range(FEATURES)}
        counts["features"] += bool(_alarming(feature_watches(month.month, pairs, thresholds)))
    return counts


def false_alarms_20_years() -> None:
    """Alarming months of one model in 20 years of unchanged months: the mean of as many lives, over all watches."""
    worst, more = 0.0, {}
    for rows in (17_000, 1_700):
        for phi in PHI:
            seeds = [[rows, life, round(1000 * phi)] for life in range(LIVES)]
            lives = [_life(World(np.random.default_rng(seed), rows, phi)) for seed in seeds]
            name = f"{rows}_phi_{phi:g}"
            more[name] = {watch: statistics.mean(life[watch] for life in lives) for watch in lives[0]}
            worst = max(worst, statistics.mean(sum(life.values()) for life in lives))
            more[name]["all"] = statistics.mean(sum(life.values()) for life in lives)
    record("false_alarms_20_years", worst, "alarming months", goal=1, data=DATA, more={"lives": LIVES, **more})


def _first(results: list[WatchResult]) -> int:
    """The number of the first alarming month, from 1; one more than all where none alarms."""
    return next((n for n, r in enumerate(results, 1) if r.state is WatchState.ALARM), len(results) + 1)


def _auc_fall(rows: int, figure: str, goal: float | None) -> None:
    thresholds, seen = monitoring_thresholds(), []
    for trial in range(TRIALS):
        world = World(np.random.default_rng([rows, trial]), rows)
        reference, before = world.reference(), world.months(6)
        count = MOST if rows < 10_000 else 12
        after = [world.vintage(f"2001-{n:02}", auc=AUC - thresholds.auc_fall) for n in range(count)]
        seen.append(_first(discrimination_watch(reference, before + after, thresholds)[6:]))
    _record(figure, seen, goal)


def _record(figure: str, seen: list[int], goal: float | None, **further: float) -> None:
    more = {
        "mean": statistics.mean(seen), "nine_in_ten_within": float(np.quantile(seen, 0.9)),
        "in_first": statistics.mean(n == 1 for n in seen), "trials": len(seen), **further,
    }  # fmt: skip
    record(figure, statistics.median(seen), "months of ripe labels, median", goal=goal, data=DATA, more=more)


def months_to_see_auc_fall_17k() -> None:
    """Months until a fall of .03 AUC is seen at 17,000 labelled subjects a month."""
    _auc_fall(17_000, "months_to_see_auc_fall_17k", 2)


def months_to_see_auc_fall_1700() -> None:
    """The same at 1,700."""
    _auc_fall(1_700, "months_to_see_auc_fall_1700", None)


def months_to_see_calibration_shift_17k() -> None:
    """Months until 20 % more defaults than expected are seen at 17,000 labelled subjects a month, φ = .03."""
    thresholds = monitoring_thresholds()
    by_phi: dict[float, list[int]] = {}
    for phi in PHI:
        by_phi[phi] = []
        for trial in range(TRIALS):
            world = World(np.random.default_rng([trial, round(1000 * phi)]), 17_000, phi)
            factor = systematic_factor([DefaultCount.of(month) for month in world.months(HISTORY)], thresholds)
            after = [world.vintage(f"2001-{n:02}", shift=1.2) for n in range(6)]
            by_phi[phi].append(_first(calibration_watch(after, factor, thresholds)))
    further = {f"median_phi_{phi:g}": statistics.median(seen) for phi, seen in by_phi.items()}
    _record("months_to_see_calibration_shift_17k", by_phi[PHI[0]], 1, **further)
