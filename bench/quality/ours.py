"""The pipeline of ``models/`` as an order runs it: search, full leaves, calibration, a scorer. Nothing is a copy."""

from __future__ import annotations

from functools import cache
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from bench.quality.tables import FOLDS, SEED, Floats, Index, Table, folds
from credit.errors import Refused
from models.dataset.folds import folds_by_period
from models.dataset.sample import Sample
from models.distributed.ray_cluster import in_process
from models.scoring.scorer import Scorer
from models.training.fit import train_model

NAME = "ours"
# One training section for every table, wide enough for 100 rows and for 30,000. Leaves hold the gate's ten rows.
TRAINING: dict[str, Any] = {
    "trials": 8,
    "seed": SEED,
    "minimum_leaf": 10,
    "members": 4,
    "space": {
        "leaves": [2, 31],
        "rate": [0.03, 0.08],
        "rounds": [100, 400],
        "minimum_leaf": [10, 40],
        "l2": [2, 30],
        "feature_share": [0.3, 1.0],
        "split_share": [0.3, 0.8],
        "row_share": [0.6, 1.0],
    },
}
ROOT = Path(__file__).parents[2] / "models"
# What its result depends on: a change in any of these is a new result.
PARTS = (
    "training/fit", "boosting/search", "boosting/sampler", "order/search_space", "boosting/booster", "boosting/recipe",
    "calibration/platt", "calibration/selection", "calibration/fitting", "dataset/sample", "dataset/folds",
    "dataset/matrix",
    "scoring/trees/averaging", "scoring/trees/constant_trees", "scoring/trees/leaf_counts",
)  # fmt: skip
NO_SEAL = "0" * 64


def ours(table: Table, train: Index, test: Index) -> Floats:
    """P(bad) of the test rows (m,) by a version that has seen nothing but the training rows.

    The version's directions are those the table declares. Its inner folds hold whole subjects; where the test is of a
    later time they are stretches of time. Where the pipeline refuses to make a version its probability is one for all.
    """
    declaration = _declaration(table)
    sample = _sample(table, train)
    try:
        learnt = train_model(declaration, sample, in_process(), order=f"order-{NO_SEAL}", release=f"release-{NO_SEAL}")
    except Refused:  # no version was made: every row gets the share of bad training rows, an AUC of .5
        return np.full(len(test), float(np.mean(sample.labels)))
    scorer = Scorer.of(learnt.text, learnt.scorecard)
    return np.asarray(scorer.probability(scorer.raw(table.features[test])), dtype=np.float64)


@cache
def settings_of() -> dict[str, Any]:
    """What our result depends on beside the rows: the settings, and the text of the pipeline itself."""
    parts = [ROOT / f"{name}.py" for name in PARTS]
    code = sha256(b"".join(path.read_bytes() for path in parts)).hexdigest()
    return {"training": TRAINING, "code": code, "version": version("lightgbm")}


def _sample(table: Table, train: Index) -> Sample:
    subjects = table.subjects[train]
    days = np.full(len(train), np.datetime64("2020-01-01", "D")) if table.days is None else table.days[train]
    in_time = np.zeros(len(train), dtype=np.bool_)
    by_period = table.border is not None
    fold = folds_by_period(days, in_time, FOLDS) if by_period else folds(table.labels[train], subjects, SEED)
    return Sample(
        [str(subject) for subject in subjects],
        days,
        table.labels[train],
        table.features[train],
        table.names,
        fold,
        in_time,
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
