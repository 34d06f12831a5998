"""The report of a champion: every watch of :mod:`models.monitoring` over its months, and the alarms that follow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

import numpy as np

from credit.canonical import digest_json
from credit.errors import Missing
from credit.shelf import OpenedSeal, Shelf
from models.champion_report.loan_events import ReportedLoans
from models.champion_report.scored_months import ScoredMonth, scored_months
from models.monitoring.calibration_watch import DefaultCount, calibration_watch, systematic_factor
from models.monitoring.delong import MeasuredAuc
from models.monitoring.discrimination_watch import DISCRIMINATION, discrimination_watch
from models.monitoring.distribution_shift import ReferenceBins
from models.monitoring.distribution_watch import feature_watches, score_watch
from models.monitoring.estimated_auc import estimate_watch, estimated_auc
from models.monitoring.thresholds import MonitoringThresholds, monitoring_thresholds
from models.monitoring.vintages import Vintage
from models.monitoring.watch_result import WatchResult, WatchState
from models.registry.version import read_evidence

INTERVAL = 2 * 1.959964  # widths of a standard error in a 95 % interval
WINDOW_MONTHS, SETTLE_DAYS = 6, 31  # of the label of reported loans: six months, and the delay of a report in time


@dataclass(frozen=True, slots=True)
class ChampionReport:
    """``results`` by month, oldest first; ``labels`` says how the lines of the outcomes are accounted for."""

    model: str
    version: str
    reference: str  # the month that the others are compared with
    made_on: date
    results: tuple[WatchResult, ...]
    labels: dict[str, int]
    thresholds: MonitoringThresholds

    def alerts(self) -> list[dict[str, Any]]:
        """One alert a watch: since which month it alarms without a break, and the newest result."""
        newest: dict[str, dict[str, Any]] = {}
        for result in self.results:
            if result.state is WatchState.ALARM:
                since = newest[result.watch]["since"] if result.watch in newest else result.month
                newest[result.watch] = {**result.to_json(), "since": since}
            elif result.state is WatchState.OK:
                newest.pop(result.watch, None)
        return [
            {"alert": f"alert-{digest_json([self.version, watch, data['since']])[:16]}", **data}
            for watch, data in sorted(newest.items())
        ]

    def to_json(self) -> dict[str, Any]:
        """The whole report as plain values."""
        return {
            "model": self.model, "version": self.version, "reference": self.reference,
            "made_on": self.made_on.isoformat(), "results": [result.to_json() for result in self.results],
            "labels": self.labels, "thresholds": asdict(self.thresholds), "alerts": self.alerts(),
        }  # fmt: skip


def champion_report(shelf: Shelf, version: OpenedSeal, loans: ReportedLoans, today: date) -> ChampionReport:
    """The report of a version on a day. Raises Missing without a whole snapshot of it, Broken for a damaged one."""
    months, thresholds = scored_months(shelf, version.seal.id), monitoring_thresholds()
    whole = [month for month in months if month.is_whole]
    if not whole:
        raise Missing("champion-report.no-snapshot")
    results = [result for month in whole[1:] for result in _arrivals(whole[0], month, thresholds)]
    vintages = [month.vintage(loans, WINDOW_MONTHS, SETTLE_DAYS) for month in months]
    results += _labels(read_evidence(version.path), vintages, today, thresholds)
    model = str(version.seal.terms["model"])
    ordered = tuple(sorted(results, key=lambda result: result.month))
    return ChampionReport(model, version.seal.id, whole[0].month, today, ordered, loans.counts(), thresholds)


def _arrivals(reference: ScoredMonth, month: ScoredMonth, thresholds: MonitoringThresholds) -> list[WatchResult]:
    """What arrived in a month, against the reference; only features of both are compared."""
    before, now = reference.probability(), month.probability()
    bins = ReferenceBins.of(before)
    results = [
        score_watch(month.month, np.array(bins.counts), bins.count(now), thresholds),
        estimate_watch(month.month, now, estimated_auc(before)),
    ]
    old, new, pairs = reference.values(), month.values(), {}
    for place, name in enumerate(reference.features):
        feature = ReferenceBins.of(old[:, place])
        pairs[name] = (np.array(feature.counts), feature.count(new[:, month.features.index(name)]))
    return results + feature_watches(month.month, pairs, thresholds)


def _labels(
    evidence: dict[str, Any], vintages: Sequence[Vintage], today: date, thresholds: MonitoringThresholds
) -> list[WatchResult]:
    ripe = [vintage for vintage in vintages if vintage.is_ripe(today)]
    waiting = [
        WatchResult(DISCRIMINATION, each.month, WatchState.NOT_RIPE, int(np.sum(~np.isnan(each.outcome))),
                    evidence=(("maturity", each.maturity),))
        for each in vintages if not each.is_ripe(today)
    ]  # fmt: skip
    error = (float(evidence["auc_high"]) - float(evidence["auc_low"])) / INTERVAL
    positives = int(evidence["positives"])
    reference = MeasuredAuc(float(evidence["auc"]), error, positives, int(evidence["rows"]) - positives)
    results = discrimination_watch(reference, ripe, thresholds)
    # Of the first months alone: a shift that lasts must not widen its own limit.
    first = ripe[: int(thresholds.factor_months_at_least)]
    factor = systematic_factor([DefaultCount.of(each) for each in first], thresholds)
    return [*results, *calibration_watch(ripe, factor, thresholds), *waiting]
