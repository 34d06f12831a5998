"""A training in MLflow: one run per order, with a nested run for each trial and each fold."""

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
from models.registry.run_summary import run_figures, run_tags
from models.scoring.scorer import Scorer
from models.training.fit import VersionContent
from models.training.learning_curves import feature_importance, learning_curves
from models.training.plots import draw_plots
from models.validation.woe_benchmark.page import write_csv

if TYPE_CHECKING:
    from credit.actor import Actor
    from models.dataset.sample import Sample

_TRIAL_PARAMS = ("leaves", "rate", "minimum_leaf", "l2", "feature_share", "split_share", "row_share", "seed", "pruned")


def library_versions() -> dict[str, str]:
    """The versions of Python and the main libraries, and the platform."""
    versions = {f"version.{name}": installed(name) for name in ("lightgbm", "ray", "numpy", "duckdb")}
    return versions | {"version.python": platform.python_version(), "platform": platform.platform()}


def log_training(
    tracking: Tracking,
    opened: OpenedSeal,
    fitted: VersionContent,
    sample: Sample,
    seconds: Mapping[str, float],
    by: Actor,
) -> str:
    """Log the run of a new version, with its trials, folds, curves and plots; the id of the run."""
    scorer = Scorer.of(fitted.text, fitted.scorecard)
    late = np.asarray(sample.out_of_time, dtype=np.bool_)
    all_curves: dict[str, Curve] = {}
    for name, rows in (("learned", ~late), ("out_of_time", late)):
        if rows.any():
            curves_of_part = learning_curves(scorer, sample.features[rows], sample.labels[rows])
            all_curves |= {f"{name}_{figure}": curve for figure, curve in curves_of_part.items()}
    with tempfile.TemporaryDirectory() as folder:
        compared = fitted.scorecard["training"]["compared"]
        draw_plots(Path(folder), fitted.evidence, feature_importance(scorer, sample.features), compared)
        write_csv(Path(folder) / "scorecard.csv", fitted.evidence["challenger"])
        return tracking.log_run(
            opened.seal.terms["model"],
            params=fitted.scorecard["training"]["recipe"],
            metrics=run_figures(fitted.evidence)
            | {f"seconds_{step}": round(took, 3) for step, took in seconds.items()},
            tags=run_tags(opened, by) | library_versions(),
            folder=opened.path,
            plots=Path(folder),
            curves=all_curves,
            nested=(*trial_runs(compared), *fold_runs(fitted)),
        )


def trial_runs(compared: list[Mapping[str, Any]]) -> list[NestedRun]:
    """A nested run for each trial: its recipe, whether it was pruned, and the mean AUC out of fold after each
    checkpoint."""
    by_trial: dict[int, list[Mapping[str, Any]]] = {}
    for point in compared:
        by_trial.setdefault(int(point["trial"]), []).append(point)
    return [
        NestedRun(
            f"trial {number}",
            {name: stops[0][name] for name in _TRIAL_PARAMS},
            {"best_auc": max(stop["auc"] for stop in stops)},
            {"auc": [(int(stop["rounds"]), float(stop["auc"])) for stop in stops]},
        )
        for number, stops in by_trial.items()
    ]


def fold_runs(fitted: VersionContent) -> list[NestedRun]:
    """A nested run for each fold of the selected recipe."""
    return [NestedRun(f"fold {fold['fold']}", {"fold": fold["fold"]}, fold, {}) for fold in fitted.folds]
