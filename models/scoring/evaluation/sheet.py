"""The indicator sheet (指标明细) of one subject: what each indicator is worth and why, made from its measures."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.scoring.evaluation.declaration import Evaluation, Indicator
from models.scoring.evaluation.points import EvaluatedPoints, evaluate_points, measure_points


def indicator_sheet(evaluation: Evaluation, values: NDArray[np.float64]) -> dict[str, Any]:
    """The sheet of a subject by its values (F,), as plain values.

    ``base`` plus the points of the families is ``total``, in hundredths exactly; ``points`` is that within the scale.
    """
    row = np.asarray(values, dtype=np.float64)[None, :]
    result = evaluate_points(evaluation, row)
    value = dict(zip((measure.code for measure in evaluation.measures), row[0].tolist(), strict=True))
    points = dict(zip(evaluation.names, result.contributions[0].tolist(), strict=True))
    families = [
        {
            "code": family.code,
            "zh": family.zh,
            "en": family.en,
            "points": as_points(sum(points[each.code] for each in family.indicators)),
            "indicators": [_line(each, points[each.code], value) for each in family.indicators],
        }
        for family in evaluation.families
    ]
    grade = evaluation.grades[int(result.grade[0])]
    return {
        "evaluation": evaluation.name,
        "version": evaluation.version,
        "standard": evaluation.standard,
        "base": as_points(evaluation.base),
        "families": families,
        "total": as_points(evaluation.base + sum(points.values())),
        "points": as_points(int(result.points[0])),
        "rules": rules_of(evaluation, result),
        "grade": grade,
        "grade4": grade[0],
        "grade_cut_published": grade in evaluation.published_grades,
    }


def rules_of(evaluation: Evaluation, result: EvaluatedPoints, row: int = 0) -> list[dict[str, str]]:
    """The direct rules that apply to a row."""
    return [
        {"code": rule.feature, "grade": rule.grade, "zh": rule.zh, "en": rule.en}
        for rule, hit in zip(evaluation.rules, result.hits[row], strict=True)
        if hit
    ]


def as_points(hundredths: int) -> float:
    """Points with two decimals."""
    return hundredths / 100


def _line(indicator: Indicator, points: int, value: dict[str, float]) -> dict[str, Any]:
    measures = [
        {
            "code": measure.code,
            "zh": measure.zh,
            "en": measure.en,
            "table": measure.table,
            "window_months": measure.window_months,
            "value": None if np.isnan(value[measure.code]) else value[measure.code],
            "points": as_points(int(measure_points(measure, np.array([value[measure.code]]))[0])),
        }
        for measure in indicator.measures
    ]
    return {
        "code": indicator.code,
        "zh": indicator.zh,
        "en": indicator.en,
        "example": indicator.example,
        "collected": bool(indicator.measures),
        "floor": as_points(indicator.floor),
        "cap": as_points(indicator.cap),
        "points": as_points(points),
        "measures": measures,
    }
