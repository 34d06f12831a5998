"""A training as people see it in MLflow: the order a run, and within it a run for each trial and each fold."""

from __future__ import annotations

import platform
import tempfile
from collections.abc import Mapping
from importlib.metadata import version as installed
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from credit.shelf import OpenedSeal
from models.registry.mlflow_registry import Curve, NestedRun, Tracking
from models.registry.run_summary import figures, tags
from models.scoring.scorer import Scorer
from models.training.fit import VersionContent
from models.training.learning_curves import curves, importance
from models.training.plots import draw
from models.validation.woe_benchmark.page import write_csv

if TYPE_CHECKING:
    from credit.actor import Actor
    from models.dataset.sample import Sample

_TRIED = ("leaves", "rate", "minimum_leaf", "l2", "feature_share", "split_share", "row_share", "seed", "pruned")


def environment() -> dict[str, str]:
    """What it was made with."""
    told = {f"version.{name}": installed(name) for name in ("lightgbm", "ray", "numpy", "duckdb")}
    return told | {"version.python": platform.python_version(), "platform": platform.platform()}


def log_training(
    tracking: Tracking,
    opened: OpenedSeal,
    fitted: VersionContent,
    sample: Sample,
    seconds: Mapping[str, float],
    by: Actor,
) -> str:
    """The run of a version just made, with its trials, folds, curves and plots; the id of the run."""
    scorer = Scorer.of(fitted.text, fitted.told)
    late = np.asarray(sample.out_of_time, dtype=np.bool_)
    shown: dict[str, Curve] = {}
    for name, rows in (("learned", ~late), ("out_of_time", late)):
        if rows.any():
            told = curves(scorer, sample.features[rows], sample.labels[rows])
            shown |= {f"{name}_{figure}": curve for figure, curve in told.items()}
    with tempfile.TemporaryDirectory() as folder:
        compared = fitted.told["training"]["compared"]
        draw(Path(folder), fitted.evidence, importance(scorer, sample.features), compared)
        write_csv(Path(folder) / "scorecard.csv", fitted.evidence["challenger"])
        return tracking.log_run(
            opened.seal.terms["model"],
            params=fitted.told["training"]["recipe"],
            metrics=figures(fitted.evidence) | {f"seconds_{step}": round(took, 3) for step, took in seconds.items()},
            tags=tags(opened, by) | environment(),
            folder=opened.path,
            plots=Path(folder),
            curves=shown,
            inner=(*trials(compared), *folds(fitted)),
        )


def trials(compared: list[Mapping[str, Any]]) -> list[NestedRun]:
    """A run for each trial: its recipe, whether it was given up, the mean AUC out of fold after each of its stops."""
    found: dict[int, list[Mapping[str, Any]]] = {}
    for each in compared:
        found.setdefault(int(each["trial"]), []).append(each)
    return [
        NestedRun(
            f"trial {number}",
            {name: stops[0][name] for name in _TRIED},
            {"best_auc": max(stop["auc"] for stop in stops)},
            {"auc": [(int(stop["rounds"]), float(stop["auc"])) for stop in stops]},
        )
        for number, stops in found.items()
    ]


def folds(fitted: VersionContent) -> list[NestedRun]:
    """A run for each fold of the recipe that was taken."""
    return [NestedRun(f"fold {each['fold']}", {"fold": each["fold"]}, each, {}) for each in fitted.folds]
