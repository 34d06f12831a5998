"""The pipeline of ``models/`` as an order runs it: search, full leaves, calibration, a scorer. Nothing is a copy."""

from __future__ import annotations

from functools import cache
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from bench.quality.tables import SEED, Floats, Index, Table, folds
from models.cluster import in_process
from models.fit import learn
from models.sample import Sample
from models.scorer import Scorer

NAME = "ours"
TRAINING = {"trials": 6, "seed": SEED, "minimum_leaf": 20}
ROOT = Path(__file__).parents[2] / "models"
# What its result hangs on: a change in any of these is a new result.
PARTS = ("fit.py", "search.py", "booster.py", "calibration.py", "calibrators.py", "scorer.py")
NOBODY = "0" * 64


def ours(table: Table, train: Index, test: Index) -> Floats:
    """P(bad) of the test rows (m,) by a version that has seen nothing but the training rows.

    The version's directions are those the table declares; its inner folds hold whole subjects.
    """
    told = _declaration(table)
    learnt = learn(told, _sample(table, train), in_process(), order=f"order-{NOBODY}", release=f"release-{NOBODY}")
    scorer = Scorer.of(learnt.text, learnt.told)
    return np.asarray(scorer.probability(scorer.raw(table.features[test])), dtype=np.float64)


@cache
def settings_of() -> dict[str, Any]:
    """What our result hangs on beside the rows: the settings, and the text of the pipeline itself."""
    parts = [ROOT / name for name in PARTS if (ROOT / name).is_file()]
    code = sha256(b"".join(path.read_bytes() for path in parts)).hexdigest()
    return {"training": TRAINING, "code": code, "version": version("lightgbm")}


def _sample(table: Table, train: Index) -> Sample:
    subjects = table.subjects[train]
    days = np.full(len(train), np.datetime64("2020-01-01", "D")) if table.days is None else table.days[train]
    return Sample(
        [str(subject) for subject in subjects],
        days,
        table.labels[train],
        table.features[train],
        table.names,
        folds(table.labels[train], subjects, SEED),
        np.zeros(len(train), dtype=np.bool_),
    )


def _declaration(table: Table) -> dict[str, Any]:
    reason = {"zh": "见数据说明", "en": "see the data's own description"}
    features = [
        {"name": name, "title": name, "direction": sign, "reason": reason}
        for name, sign in zip(table.names, table.directions, strict=True)
    ]
    return {
        "model": "benchmark",
        "title": table.name,
        "subject_kind": None,
        "features": features,
        "training": TRAINING,
        "scale": {"points": 712, "odds": 30, "double_odds": 20, "minimum": 0, "maximum": 1000},
        "grades": [["A", 700], ["B", 600], ["D", 0]],
        "rules": [],
    }
