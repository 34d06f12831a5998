"""The points and grade of a public evaluation, from its measures: whole hundredths, so the same to the bit anywhere."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.scoring.evaluation.declaration import Evaluation, EvaluationMeasure, Indicator

Hundredths = NDArray[np.int64]
Values = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class EvaluatedPoints:
    """Answers for n subjects: ``base + contributions.sum(1)`` within minimum and maximum is ``points``, exactly."""

    contributions: Hundredths  # (n, I) points of each indicator
    points: Hundredths  # (n,)
    hits: NDArray[np.bool_]  # (n, R) which direct rules apply
    grade: NDArray[np.int8]  # (n,) index into the grades, after the rules


def evaluate_points(evaluation: Evaluation, values: Values) -> EvaluatedPoints:
    """Evaluate n subjects by the values (n, F) of the declared measures, NaN where a subject has none."""
    column = {measure.code: values[:, place] for place, measure in enumerate(evaluation.measures)}
    contributions = np.zeros((len(values), len(evaluation.indicators)), dtype=np.int64)
    for place, indicator in enumerate(evaluation.indicators):
        contributions[:, place] = _indicator_points(indicator, column, len(values))
    total = evaluation.base + contributions.sum(axis=1)
    points = np.clip(total, evaluation.minimum, evaluation.maximum)
    hits = rule_hits(evaluation, values)
    return EvaluatedPoints(contributions, points, hits, grade_index(evaluation, points, hits))


def measure_points(measure: EvaluationMeasure, values: Values) -> Hundredths:
    """The points (n,) of one measure by its values (n,); without a value there are none."""
    known = ~np.isnan(values)
    if measure.bands:
        least = np.array([each for each, _ in measure.bands])
        given = np.array([0, *(points for _, points in measure.bands)], dtype=np.int64)
        return np.asarray(np.where(known, given[np.searchsorted(least, values, side="right") * known], 0))
    limited = np.clip(np.where(known, values, 0.0) * (measure.each or 0), measure.floor, measure.cap)
    return np.asarray(np.rint(limited), dtype=np.int64)


def rule_hits(evaluation: Evaluation, values: Values) -> NDArray[np.bool_]:
    """Which direct rules apply (n, R); a missing value meets no rule."""
    places = {measure.code: place for place, measure in enumerate(evaluation.measures)}
    hits = np.zeros((len(values), len(evaluation.rules)), dtype=np.bool_)
    for number, rule in enumerate(evaluation.rules):
        hits[:, number] = values[:, places[rule.feature]] >= rule.at_least
    return hits


def grade_index(evaluation: Evaluation, points: Hundredths, hits: NDArray[np.bool_]) -> NDArray[np.int8]:
    """The index (n,) of each grade: by points, then no better than each rule that applies allows."""
    ascending = np.array([cut for _, cut in evaluation.grade_cuts][::-1])
    worst = len(evaluation.grade_cuts) - 1
    place = np.minimum(worst + 1 - np.searchsorted(ascending, points, side="right"), worst)
    for number, rule in enumerate(evaluation.rules):
        place = np.where(hits[:, number], np.maximum(place, evaluation.grades.index(rule.grade)), place)
    return np.asarray(place, dtype=np.int8)


def _indicator_points(indicator: Indicator, column: dict[str, Values], count: int) -> Hundredths:
    total = np.zeros(count, dtype=np.int64)
    for measure in indicator.measures:
        total += measure_points(measure, column[measure.code])
    return np.clip(total, indicator.floor, indicator.cap)
