"""Public evaluations in the service's small test world, in the form that `models.evaluation.build` makes."""

from __future__ import annotations

import io
from datetime import date
from typing import Any

import numpy as np
from serving_world import AS_OF, GRADES

from credit.seal import Kind
from models.evaluation.buckets import answers_of
from models.scoring.evaluation.declaration import Evaluation, read_evaluation
from models.scoring.evaluation.points import evaluate_points
from models.scoring.evaluation.sheet import indicator_sheet
from models.scoring.snapshot_layout import ANSWERS_FILE, FEATURES_FILE, SUBJECTS_FILE

PUBLIC = ["可用于信用评价"]


def declaration(kind: str, **changes: Any) -> dict[str, Any]:
    """A small evaluation of two indicators, as plain values."""
    measured = {"zh": "近12个月", "en": "In 12 months", "sql": "count(*)"}
    penalties = {**measured, "code": "penalties", "table": "administrative_penalty", "each": -25, "floor": -300}
    honours = {**measured, "code": "honours", "table": "honour", "each": 12.5, "cap": 60}
    families = [
        {"code": "law", "zh": "遵纪守法", "en": "Law", "indicators": [
            {"code": "enforcement", "zh": "行政执法", "en": "Enforcement", "floor": -300, "cap": 0,
             "measures": [penalties]}]},
        {"code": "honour", "zh": "资质荣誉", "en": "Honours", "indicators": [
            {"code": "commendations", "zh": "表彰", "en": "Honours", "floor": 0, "cap": 40, "measures": [honours]}]},
    ]  # fmt: skip
    rule = {"measure": "penalties", "at_least": 8, "grade": "D", "zh": "处罚多", "en": "penalties"}
    return {
        "evaluation": f"public_{kind}", "title": "小评价", "standard": "GB/T 45255-2025", "structure": "示例",
        "subject_kind": kind, "population": "registration", "period": "month", "base": 765, "minimum": 0,
        "maximum": 1000, "grades": GRADES, "published_grades": ["A"], "families": families, "facts": [],
        "rules": [rule],
    } | changes  # fmt: skip


def evaluated_values(count: int, seed: int) -> Any:
    """The values (n, 2) of the subjects by their number; every seventh has no honours on record."""
    random = np.random.default_rng(seed)
    values = np.column_stack([random.poisson(1.5, count), random.poisson(2.0, count)]).astype(np.float64)
    values[3::9, 0] = 9
    values[::7, 1] = np.nan
    return values


def evaluate(world: Any, kind: str, count: int, *, seed: int = 3, as_of: date = AS_OF, show: bool = True,
             **terms: Any) -> str:  # fmt: skip
    """Seal the evaluation of `count` subjects, and point at it unless `show` is false; gives the seal's id."""
    evaluation = read_evaluation(declaration(kind))
    release = world.seal(Kind.RELEASE, "custody", {"rows": b"none"}, purpose="scoring", as_of=str(as_of))
    keys, rows = world.sorted_keys(kind, count)
    values = evaluated_values(count, seed)[rows]
    answers = answers_of(evaluation, evaluate_points(evaluation, values))
    files = {SUBJECTS_FILE: b"".join(keys), FEATURES_FILE: array_bytes(values), ANSWERS_FILE: array_bytes(answers)}
    described = {
        "model": evaluation.name, "subject_kind": kind, "version": evaluation.version, "release": release,
        "evaluation": dict(evaluation.data), "as_of": str(as_of), "subjects": count, "usage": PUBLIC,
    }  # fmt: skip
    seal: str = world.seal(Kind.SNAPSHOT, "compute", files, (release,), **(described | terms))
    if show:
        point(world, kind, seal)
    return seal


def point(world: Any, kind: str, seal: str, zone: str = "platform") -> None:
    """Set the signed pointer to an evaluation."""
    pointer = {"model": f"public_{kind}", "snapshot": seal, "version": "", "as_of": str(AS_OF)}
    world.shelf.set_pointer(f"snapshot-public_{kind}", pointer, world.key(zone))


def sheet_of(kind: str, number: int, count: int = 40, seed: int = 3) -> dict[str, Any]:
    """The indicator sheet of the subject of this number, made again from its values."""
    evaluation: Evaluation = read_evaluation(declaration(kind))
    return indicator_sheet(evaluation, evaluated_values(count, seed)[number])


def array_bytes(array: Any) -> bytes:
    """An array as the bytes of a .npy file."""
    content = io.BytesIO()
    np.save(content, array)
    return content.getvalue()
