"""Evidence: how well a version does on holdout rows, as plain numbers for its card, the report and the gate."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from models.metrics import calibration, discrimination, ranking, segments, stability
from models.scoring.scorer import Scorer
from models.validation.holdout import HoldoutScores

if TYPE_CHECKING:
    from models.dataset.sample import Sample

DIGITS = 6
Points = NDArray[np.float64]


def measure(scorer: Scorer, sample: Sample, holdout: HoldoutScores) -> dict[str, Any]:
    """The figures of ``scorer`` on ``judged`` rows of ``sample``, JSON throughout.

    ``rows, positives, judged_by, auc, auc_low, auc_high, ks, partial_auc, h_measure, lift, brier, calibration {ece,
    ece_noise, slope, intercept, ratio, bins}, roc [[fpr, tpr]], points {edges, grades {grade: counts}}, grades {grade:
    {rows, predicted, observed}}, stability_index, feature_stability {feature: {index, low, high}}, segments {kind:
    {group: …}}, baseline {auc, auc_low, auc_high, gain, gain_low, gain_high}, trained {rows, positives}``.
    """
    labels, raw = holdout.labels, holdout.raw
    probability, points = scorer.probability(raw), scorer.points(raw)
    interval = discrimination.auc_interval(labels, raw, holdout.subjects)
    false, true = discrimination.roc(labels, raw)
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
        "calibration": calibration.measure(labels, probability),
        "roc": [[float(f), float(t)] for f, t in zip(false, true, strict=True)],
        **_by_grade(scorer, holdout, probability, points),
        "stability_index": points_stability(scorer, sample, holdout),
        "feature_stability": feature_stability(scorer.card.names, sample, holdout),
        "segments": segments.measure(labels, probability, raw, holdout.groups),
        "trained": {"rows": int(in_time.sum()), "positives": int(np.sum(np.asarray(sample.labels)[in_time]))},
    }
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
    return stability.stability_index(early, late, stability.decile_edges(early))


def feature_stability(names: tuple[str, ...], sample: Sample, holdout: HoldoutScores) -> dict[str, dict[str, float]]:
    """Stability index of each feature, earlier rows against later ones, with its 95 % interval over subjects.

    Bins are the deciles of the earlier rows; missing values are one more bin. Empty when all rows are of one day.
    """
    features, days = np.asarray(sample.features), np.asarray(sample.as_of)
    late = np.asarray(sample.out_of_time, dtype=np.bool_)
    if not late.any():
        every = np.unique(days)
        late = days >= every[len(every) // 2]
    if late.all() or not late.any():
        return {}
    subjects = np.asarray(sample.subjects)
    indices = {}
    for name, column in zip(names, features.T, strict=True):
        known = column[~late & ~np.isnan(column)]
        edges = stability.decile_edges(known) if len(known) else np.zeros(0)
        binned = np.where(np.isnan(column), len(edges) + 1, np.digitize(column, edges))
        interval = stability.stability_interval(binned, late, len(edges) + 2, subjects)
        indices[name] = {"index": interval.value, "low": interval.low, "high": interval.high}
    return indices


def _by_grade(scorer: Scorer, holdout: HoldoutScores, probability: Points, points: Points) -> dict[str, Any]:
    card = scorer.card
    grade_index = card.grade_index(points, card.rule_hits(holdout.features))
    edges = np.linspace(card.minimum, card.maximum, 51)
    counts, table = {}, {}
    for number, grade in enumerate(card.grades):
        of_grade = grade_index == number
        counts[grade] = [int(count) for count in np.histogram(points[of_grade], bins=edges)[0]]
        rows = int(of_grade.sum())
        table[grade] = {
            "rows": rows,
            "predicted": float(probability[of_grade].mean()) if rows else None,
            "observed": float(holdout.labels[of_grade].mean()) if rows else None,
        }
    return {"points": {"edges": [float(edge) for edge in edges], "grades": counts}, "grades": table}


def rounded(value: Any) -> Any:
    """Every number rounded to ``DIGITS`` decimals, NaN as None, so that the JSON is readable and digests are stable."""
    if isinstance(value, dict):
        return {name: rounded(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [rounded(inner) for inner in value]
    if isinstance(value, float):
        return round(value, DIGITS) if np.isfinite(value) else None
    return value
