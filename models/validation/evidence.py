"""Evidence: how well a version does on holdout rows, as plain numbers for its card, the report and the gate."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from models.metrics import calibration, discrimination, ranking, segments, stability
from models.privacy.floors import PrivacyFloors, load_floors
from models.privacy.merged_parts import merge_bins, merge_counts, merge_groups, merge_neighbours
from models.scoring.scorer import Scorer
from models.validation.feature_effects import feature_effects
from models.validation.holdout import HoldoutScores

if TYPE_CHECKING:
    from models.dataset.sample import Sample

DIGITS = 6
INDEX_DECIMALS, SHARE_DECIMALS = 3, 3  # of what an author's own condition can move: more would give a row's value
MAXIMUM_STEPS = 99  # of a ROC curve
Points = NDArray[np.float64]


def measure(scorer: Scorer, sample: Sample, holdout: HoldoutScores) -> dict[str, Any]:
    """The figures of ``scorer`` on ``judged`` rows of ``sample``, JSON throughout.

    ``rows, positives, judged_by, auc, auc_low, auc_high, ks, partial_auc, h_measure, lift, brier, calibration {ece,
    ece_noise, slope, intercept, ratio, bins}, roc [[fpr, tpr]], points {edges, grades {grade: counts}}, grades {grade:
    {rows, predicted, observed, pool [grades]}}, stability_index, feature_stability {feature: {index, low, high}},
    segments {kind: {group: …}}, importance and dependence (:mod:`models.validation.feature_effects`),
    baseline {auc, auc_low, auc_high, gain, gain_low, gain_high}, trained {rows, positives}``. Bins, steps, groups and
    grades of too few subjects are merged (:mod:`models.privacy.merged_parts`).
    """
    labels, raw = holdout.labels, holdout.raw
    probability, points = scorer.probability(raw), scorer.points(raw)
    interval = discrimination.auc_interval(labels, raw, holdout.subjects)
    floors = load_floors()
    parts = merge_neighbours(calibration.equal_parts(probability), labels, holdout.subjects, floors)
    groups = merge_groups(holdout.groups, labels, holdout.subjects, floors)
    in_time = ~np.asarray(sample.out_of_time, dtype=np.bool_)
    figures: dict[str, Any] = {
        "rows": len(labels),
        "positives": int(np.sum(labels)),
        "judged_by": holdout.by,
        "auc": interval.value,
        "auc_low": interval.low,
        "auc_high": interval.high,
        "ks": discrimination.ks(labels, raw),
        "partial_auc": ranking.partial_auc(labels, raw),
        "h_measure": ranking.h_measure(labels, raw),
        "lift": ranking.lift(labels, raw),
        "brier": discrimination.brier(labels, probability),
        "calibration": with_rounded_bins(calibration.measure(labels, probability, parts), floors.evidence_base),
        "roc": roc_steps(labels, raw, holdout.subjects, floors),
        **_by_grade(scorer, holdout, probability, points),
        "stability_index": points_stability(scorer, sample, holdout),
        "feature_stability": feature_stability(scorer.card.names, sample, holdout),
        "segments": segments.measure(labels, probability, raw, groups, floors.evidence_base),
        "trained": {"rows": int(in_time.sum()), "positives": int(np.sum(np.asarray(sample.labels)[in_time]))},
    }
    figures |= feature_effects(scorer, holdout.features)
    if holdout.baseline is not None:
        plain = discrimination.auc_interval(labels, holdout.baseline, holdout.subjects)
        gain, _ = discrimination.auc_gain(labels, raw, holdout.baseline, holdout.subjects)
        figures["baseline"] = {
            "what": "LightGBM with its own settings on the same split",
            "auc": plain.value,
            "auc_low": plain.low,
            "auc_high": plain.high,
            "gain": gain.value,
            "gain_low": gain.low,
            "gain_high": gain.high,
        }
    rounded_figures: dict[str, Any] = rounded(figures)
    return rounded_figures


def points_stability(scorer: Scorer, sample: Sample, holdout: HoldoutScores) -> float | None:
    """Stability index of points: in time against out of time, or the earlier half of the days against the later half.

    Bins are the deciles of the earlier rows. None when all rows are of one day.
    """
    if holdout.by == "out of time":
        early = scorer.points(scorer.raw(np.asarray(sample.features)[~np.asarray(sample.out_of_time)]))
        late = scorer.points(holdout.raw)
    else:
        days = np.unique(holdout.as_of)
        if len(days) < 2:
            return None
        before = holdout.as_of < days[len(days) // 2]
        points = scorer.points(holdout.raw)
        early, late = points[before], points[~before]
    return round(stability.stability_index(early, late, stability.decile_edges(early)), INDEX_DECIMALS)


def feature_stability(names: tuple[str, ...], sample: Sample, holdout: HoldoutScores) -> dict[str, dict[str, float]]:
    """Stability index of each feature, earlier rows against later ones, with its 95 % interval over subjects.

    Bins are the deciles of the earlier rows; missing values are one more bin. Those of a few subjects are merged, since
    the index would count them: a feature can be any condition on a subject. Empty when all rows are of one day.
    """
    features, days = np.asarray(sample.features), np.asarray(sample.as_of)
    late = np.asarray(sample.out_of_time, dtype=np.bool_)
    if not late.any():
        every = np.unique(days)
        late = days >= every[len(every) // 2]
    if late.all() or not late.any():
        return {}
    subjects, floors = np.asarray(sample.subjects), load_floors()
    indices = {}
    for name, column in zip(names, features.T, strict=True):
        known = column[~late & ~np.isnan(column)]
        edges = stability.decile_edges(known) if len(known) else np.zeros(0)
        binned = np.where(np.isnan(column), len(edges) + 1, np.digitize(column, edges))
        binned = merge_bins(binned, late, subjects, floors.evidence_subjects)
        interval = stability.stability_interval(binned, late, len(edges) + 2, subjects)
        limits = {"index": interval.value, "low": interval.low, "high": interval.high}
        indices[name] = {limit: round(value, INDEX_DECIMALS) for limit, value in limits.items()}
    return indices


def _by_grade(scorer: Scorer, holdout: HoldoutScores, probability: Points, points: Points) -> dict[str, Any]:
    card = scorer.card
    floors = load_floors()
    grade_index = card.grade_index(points, card.rule_hits(holdout.features))
    # A rule's feature can be any condition on a subject: a grade of a few is shown as its neighbour.
    once = np.zeros(len(grade_index), dtype=np.bool_)
    grade_index = merge_bins(grade_index, once, holdout.subjects, floors.evidence_subjects)
    pools = merge_neighbours(grade_index, holdout.labels, holdout.subjects, floors)
    edges = np.linspace(card.minimum, card.maximum, 51)
    counts, table = {}, {}
    for number, grade in enumerate(card.grades):
        of_grade = grade_index == number
        merged = merge_counts(np.histogram(points[of_grade], bins=edges)[0], floors.evidence_subjects)
        counts[grade] = [rounded_count(count, floors.evidence_base) for count in merged]
        rows = rounded_count(int(of_grade.sum()), floors.evidence_base)
        pool = pools == pools[of_grade][0] if rows else of_grade
        table[grade] = {
            "rows": rows,
            "predicted": round(float(probability[pool].mean()), SHARE_DECIMALS) if rows else None,
            "observed": rounded_share(float(holdout.labels[pool].mean()), int(pool.sum()), floors.evidence_base)
            if rows
            else None,
            "pool": [card.grades[each] for each in np.unique(grade_index[pool])] if rows else [],
        }
    return {"points": {"edges": [float(edge) for edge in edges], "grades": counts}, "grades": table}


def rounded_count(count: int, base: int) -> int:
    """A count as a multiple of ``base``."""
    return base * round(count / base)


def rounded_share(share: float, rows: int, base: int) -> float:
    """A share of ``rows`` whose numerator is a multiple of ``base``."""
    return base * round(share * rows / base) / rows


def with_rounded_bins(measured: dict[str, Any], base: int) -> dict[str, Any]:
    """The figures of calibration with bins whose outcomes are multiples of ``base``; the rest is exact."""
    bins = [each | {"observed": rounded_share(each["observed"], each["rows"], base)} for each in measured["bins"]]
    return measured | {"bins": bins}


def roc_steps(labels: NDArray[Any], raw: Points, subjects: NDArray[Any], floors: PrivacyFloors) -> list[list[float]]:
    """The ROC curve from (0, 0) to (1, 1) as at most 100 points, each step of enough subjects of either outcome."""
    values, place = np.unique(-np.asarray(raw, dtype=np.float64), return_inverse=True)
    ends = np.linspace(0, len(values), min(MAXIMUM_STEPS, len(values)) + 1).round()[1:]
    steps = merge_neighbours(np.searchsorted(ends, place, side="right"), labels, subjects, floors)
    bad, good = (np.bincount(steps, weights=np.asarray(labels) == outcome) for outcome in (1, 0))
    true, false = (np.concatenate([[0.0], np.cumsum(each) / max(each.sum(), 1.0)]) for each in (bad, good))
    return [[float(f), float(t)] for f, t in zip(false, true, strict=True)]


def rounded(value: Any) -> Any:
    """Every number rounded to ``DIGITS`` decimals, NaN as None, so that the JSON is readable and digests are stable."""
    if isinstance(value, dict):
        return {name: rounded(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [rounded(inner) for inner in value]
    if isinstance(value, float):
        return round(value, DIGITS) if np.isfinite(value) else None
    return value
