"""A small evaluation on the tiny release of :mod:`tests.models.world`."""

from __future__ import annotations

from typing import Any

from models.scoring.evaluation.declaration import Evaluation, read_evaluation

GRADES = [["A", 800], ["B", 700], ["C", 600], ["D", 0]]


def measure(code: str, table: str, sql: str, **more: Any) -> dict[str, Any]:
    """A measure; ``each`` with its limits, or ``bands``."""
    return {"code": code, "zh": code, "en": code, "table": table, "sql": sql, **more}


def declaration(**changes: Any) -> dict[str, Any]:
    """The evaluation as plain values."""
    general = measure("general_12m", "penalty", "count(*) FILTER (WHERE severity = 'general')", dated_by="decided_on",
                      window_months=12, each=-12.5, floor=-60)  # fmt: skip
    fines = measure("fines", "penalty", "sum(fine)", bands=[[1, -5], [10, -20.25]])
    standing = measure("standing", "penalty", "count(*) FILTER (WHERE lifted_on IS NULL)")
    years = measure("years", "registration", "max(date_diff('year', registered_on, as_of))", bands=[[5, 10], [10, 20]])
    families = [
        family("law", indicator("penalties", [general, fines], floor=-70, cap=0)),
        family("basics", indicator("duration", [years], floor=0, cap=15), indicator("skills", [], floor=0, cap=0)),
    ]
    rule = {"measure": "standing", "at_least": 4, "grade": "D", "zh": "处罚多", "en": "many"}
    return {
        "evaluation": "public_enterprise", "title": "小评价", "standard": "示例", "structure": "示例",
        "subject_kind": "enterprise", "population": "registration", "period": "month", "base": 750, "minimum": 0,
        "maximum": 1000, "grades": GRADES, "published_grades": ["A"], "families": families, "facts": [standing],
        "rules": [rule],
    } | changes  # fmt: skip


def indicator(code: str, measures: list[dict[str, Any]], *, floor: float, cap: float) -> dict[str, Any]:
    """An indicator."""
    return {"code": code, "zh": code, "en": code, "floor": floor, "cap": cap, "measures": measures}


def family(code: str, *indicators: dict[str, Any]) -> dict[str, Any]:
    """A family."""
    return {"code": code, "zh": code, "en": code, "indicators": list(indicators)}


def small(**changes: Any) -> Evaluation:
    """The evaluation."""
    return read_evaluation(declaration(**changes))
