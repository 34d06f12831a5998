"""Invented samples and declarations: a latent cause behind a few features, something honest to find."""

from __future__ import annotations

from typing import Any

import numpy as np

from models.dataset.sample import Sample

FEATURES = ("fines", "years", "noise", "rating", "blank")
DIRECTIONS = (1, -1, 0, -1, 0)
GRADES = [["A", 800], ["A-", 780], ["B+", 760], ["B", 730], ["B-", 700], ["C+", 660], ["C", 620], ["C-", 560], ["D", 0]]


def declaration(**changes: Any) -> dict[str, Any]:
    """An order's declaration, as ``Order.as_json()`` gives it."""
    features = [
        {
            "name": name,
            "title": f"特征 {name}",
            "direction": sign,
            "reason": {"zh": f"{name} 说明", "en": f"about {name}"},
        }
        for name, sign in zip(FEATURES, DIRECTIONS, strict=True)
    ]
    declared: dict[str, Any] = {
        "model": "enterprise",
        "title": "企业公共信用风险模型",
        "subject_kind": "enterprise",
        "features": features,
        "training": {"trials": 2, "seed": 7, "minimum_leaf": 30, "space": {"rounds": [40, 100]}},  # few: a tree costs
        "scale": {"points": 760, "odds": 30, "double_odds": 40, "minimum": 0, "maximum": 1000},
        "grades": GRADES,
        "rules": [
            {
                "feature": "fines",
                "at_least": 6,
                "grade": "D",
                "reason": {"zh": "六次以上处罚", "en": "six fines"},
            },
            {
                "feature": "fines",
                "at_least": 4,
                "grade": "C",
                "reason": {"zh": "四次以上处罚", "en": "four fines"},
            },
        ],
        "split": {"out_of_time_from": "2025-07-01", "folds": 3},
    }
    return declared | changes


def sample(subjects: int = 1500, seed: int = 3, *, late: bool = True, strength: float = 1.0) -> Sample:
    """Four observation days of each subject, the last two out of time when ``late``."""
    random = np.random.default_rng(seed)
    days = np.array(["2024-10-01", "2025-01-01", "2025-07-01", "2025-10-01"], dtype="datetime64[D]")
    latent = np.repeat(random.normal(size=subjects), len(days))
    rows = len(latent)
    fines = random.poisson(np.exp(0.8 * latent - 0.5)).astype(float)
    years = np.clip(random.gamma(3, 3, rows) - latent, 0, 40).round()
    rating = np.where(random.random(rows) < 0.2, np.nan, np.clip(np.round(3 - latent + random.normal(size=rows)), 0, 5))
    features = np.column_stack([fines, years, random.normal(size=rows), rating, np.full(rows, np.nan)])
    odds = strength * (1.3 * latent + 0.2 * fines - 0.03 * years) - 2.3
    labels = (random.random(rows) < 1 / (1 + np.exp(-odds))).astype(np.int8)
    as_of = np.tile(days, subjects)
    names = [f"{number:032x}" for number in range(subjects)]
    return Sample(
        subjects=[name for name in names for _ in days],
        as_of=as_of,
        labels=labels,
        features=features,
        names=FEATURES,
        fold=np.repeat(np.arange(subjects) % 3, len(days)).astype(np.int16),
        out_of_time=(as_of >= np.datetime64("2025-07-01")) & late,
    )
