"""The search for a recipe: a few recipes times folds as tasks, judged out of fold, the smaller model preferred.

A fold holds whole subjects, so a subject's own past never helps to tell its future. Among the recipes whose mean fold
AUC is within one standard error of the best (of the paired difference over the folds) the smallest model is taken
(Breiman, Friedman, Olshen and Stone 1984, section 3.4.3).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.booster import Recipe, grow, margins
from models.cluster import Progress, Tasks
from models.judging.metrics import auc

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Rows:
    """What a fold's task reads: features (n, F), 0/1 labels and folds (n,), names and directions (F)."""

    features: Floats
    labels: NDArray[np.int8]
    fold: NDArray[np.int16]
    names: tuple[str, ...]
    directions: tuple[int, ...]

    @property
    def folds(self) -> list[int]:
        """The folds there are."""
        return [int(fold) for fold in np.unique(self.fold)]


@dataclass(frozen=True, slots=True)
class Choice:
    """The recipe taken, with the rounds it was stopped at, its out-of-fold margins (n,), and what was compared."""

    recipe: Recipe
    margins: Floats
    compared: tuple[Mapping[str, Any], ...]


def fold_margins(rows: Rows, task: tuple[Recipe, int]) -> list[Floats]:
    """Margins of the rows of one fold by models grown on the others, one array (rows in fold,) for each stop."""
    recipe, fold = task
    held = rows.fold == fold
    booster = grow(rows.features[~held], rows.labels[~held], rows.names, rows.directions, recipe)
    return [margins(booster, rows.features[held], stop) for stop in recipe.stops]


def out_of_fold(rows: Rows, recipe: Recipe, tasks: Tasks) -> Floats:
    """Margins (n,) of every row by the model of this recipe that did not see its subject."""
    found = tasks.map_tasks(fold_margins, [(recipe, fold) for fold in rows.folds], shared=rows)
    margin = np.full(len(rows.labels), np.nan)
    for fold, told in zip(rows.folds, found, strict=True):
        margin[rows.fold == fold] = told[-1]
    return margin


def search(rows: Rows, recipes: Sequence[Recipe], tasks: Tasks, progress: Progress | None = None) -> Choice:
    """Try every recipe on every fold and take one."""
    work = [(recipe, fold) for recipe in recipes for fold in rows.folds]
    found = dict(zip(work, tasks.map_tasks(fold_margins, work, shared=rows, progress=progress), strict=True))
    tried: list[tuple[Recipe, Floats, Floats]] = []  # the recipe as stopped, its margins, the AUC of each fold
    for recipe in recipes:
        for place, stop in enumerate(recipe.stops):
            margin = np.full(len(rows.labels), np.nan)
            for fold in rows.folds:
                margin[rows.fold == fold] = found[recipe, fold][place]
            scores = [auc(rows.labels[rows.fold == f], margin[rows.fold == f]) for f in rows.folds]
            tried.append((replace(recipe, rounds=stop), margin, np.array(scores)))
    best = max(tried, key=lambda one: float(np.nanmean(one[2])))
    near = [one for one in tried if _within_one_error(best[2] - one[2])]
    recipe, margin, _ = min(near, key=lambda one: (one[0].leaves * one[0].rounds, -float(np.nanmean(one[2]))))
    compared = [one.as_json() | {"auc": round(float(np.nanmean(aucs)), 6)} for one, _, aucs in tried]
    return Choice(recipe, margin, tuple(compared))


def _within_one_error(behind: Floats) -> bool:
    known = behind[~np.isnan(behind)]
    error = float(np.std(known, ddof=1) / np.sqrt(len(known))) if len(known) > 1 else 0.0
    return float(np.mean(known)) <= error
