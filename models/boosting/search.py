"""The search for a recipe (超参数搜索): trials by folds as tasks, judged out of fold; the best trials are averaged.

Trials come in *generations*. All recipes of a generation are suggested together, trained wherever a worker is free, and
reported together, so the same order finds the same recipe on 2 workers and on 200. A task trains one trial on one fold
and evaluates it at checkpoints; it stops when its best AUC is below the median of the earlier generations at that
checkpoint (the median rule of Golovin et al. 2017, Google Vizier, section 3.2.3). A task is sent these medians, so it
waits for no other task. The tasks run in processes that exist already; Ray Tune starts an actor for each trial, which
made the same search slower than running the trials one after another.

A fold contains whole subjects, so the past of a subject is never used to predict its own future. Recipes whose mean
fold
AUC is within one standard error of the best (of the paired difference over the folds; Breiman, Friedman, Olshen and
Stone 1984, section 3.4.3) are regarded as equal: the best of several trials are averaged, or the smallest model is
taken, as the order says.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from models.boosting.booster import predict_margins, train_booster, train_in_steps
from models.boosting.recipe import Recipe, averaged_recipe
from models.boosting.sampler import Sampler
from models.dataset.matrix import TrainingRows
from models.distributed.ray_cluster import Progress, Tasks
from models.metrics.discrimination import auc

if TYPE_CHECKING:
    from models.order.spec import Training

Floats = NDArray[np.float64]
PruningFloors = tuple[float, ...]  # at each checkpoint, the AUC below which a fold is pruned
MINIMUM_GENERATION, GENERATIONS = 4, 4  # least trials in a generation, and the number of generations of a long search


@dataclass(frozen=True, slots=True)
class Trial:
    """A recipe that was tried, with the AUC on each fold after each checkpoint that it reached."""

    recipe: Recipe
    curves: tuple[tuple[float, ...], ...]

    @property
    def pruned(self) -> bool:
        """True when the trial was stopped early on at least one fold."""
        return any(len(curve) < len(self.recipe.checkpoints) for curve in self.curves)

    @property
    def auc_by_checkpoint(self) -> Floats:
        """AUC (checkpoints, folds), for the checkpoints that the trial reached on every fold."""
        reached = min(map(len, self.curves))
        return np.array([curve[:reached] for curve in self.curves]).T

    @property
    def mean_aucs(self) -> list[float]:
        """The mean AUC over the folds after each checkpoint."""
        return [float(np.nanmean(aucs)) for aucs in self.auc_by_checkpoint]


@dataclass(frozen=True, slots=True)
class SearchResult:
    """The recipe that was selected, with its number of rounds, and all recipes that were compared."""

    recipe: Recipe
    compared: tuple[Mapping[str, Any], ...]


def fold_curve(rows: TrainingRows, task: tuple[Recipe, int, PruningFloors]) -> tuple[float, ...]:
    """Train on all folds but one and give the AUC on that fold after each checkpoint, until it falls below the
    pruning floor."""
    recipe, fold, floors = task
    in_fold, aucs = rows.fold == fold, []
    features, labels = rows.features[in_fold], rows.labels[in_fold]
    for booster in train_in_steps(rows.features[~in_fold], rows.labels[~in_fold], rows.names, rows.directions, recipe):
        aucs.append(auc(labels, predict_margins(booster, features)))
        if floors and np.nanmax([*aucs, -np.inf]) < floors[len(aucs) - 1]:
            break
    return tuple(aucs)


def search(
    rows: TrainingRows, training: Training, tasks: Tasks, progress: Progress | None = None, *, prune: bool = True
) -> SearchResult:
    """Try recipes as the ``training`` section of an order says (trials, patience, seed, space) and select one."""
    size = max(MINIMUM_GENERATION, -(-training.trials // GENERATIONS))
    sampler, tried = Sampler(training, size), list[Trial]()
    while len(tried) < training.trials and _still_improving(tried, training.patience):
        recipes = sampler.suggest(min(size, training.trials - len(tried)))
        floors = [_pruning_floors(tried if prune else (), place) for place in range(len(rows.folds))]
        generation = _train_generation(
            rows, recipes, floors, tasks, _progress_from(len(tried), training.trials, len(rows.folds), progress)
        )
        sampler.report([trial.mean_aucs for trial in generation], [trial.pruned for trial in generation])
        tried += generation
    return select_recipe(tried, training.prefer, training.members)


def select_recipe(tried: Sequence[Trial], prefer: str = "smaller", members: int = 1) -> SearchResult:
    """Select among all recipes at all checkpoints: those within one standard error of the best are candidates.

    At most ``members`` candidates, each from another trial, are averaged. With ``members`` 1, ``prefer`` decides: the
    smallest candidate ("smaller") or the best one ("best").
    """
    candidates = [
        (replace(trial.recipe, rounds=stop), aucs, number, trial.pruned)
        for number, trial in enumerate(tried, start=1)
        for stop, aucs in zip(
            trial.recipe.checkpoints, trial.auc_by_checkpoint, strict=False
        )  # a pruned trial lacks the last checkpoints
    ]
    best = max(candidates, key=lambda candidate: float(np.nanmean(candidate[1])))
    equivalent = [candidate for candidate in candidates if _within_one_error(best[1] - candidate[1])] or [best]
    equivalent.sort(key=lambda candidate: -float(np.nanmean(candidate[1])))
    if members > 1:
        best_of_trial = {
            number: recipe for recipe, _, number, _ in reversed(equivalent)
        }  # the best of each trial remains
        selected = [best_of_trial[number] for number in dict.fromkeys(number for _, _, number, _ in equivalent)][
            :members
        ]
    elif prefer == "smaller":
        selected = [min(equivalent, key=lambda candidate: candidate[0].leaves * candidate[0].rounds)[0]]
    else:
        selected = [best[0]]
    return SearchResult(
        averaged_recipe(selected),
        tuple(
            candidate.as_json() | {"auc": round(float(np.nanmean(aucs)), 6), "trial": number, "pruned": pruned}
            for candidate, aucs, number, pruned in candidates
        ),
    )


def fold_margins(rows: TrainingRows, task: tuple[Recipe, int]) -> Floats:
    """Margins of the rows of one fold, from a model trained on the other folds."""
    recipe, fold = task
    in_fold = rows.fold == fold
    booster = train_booster(rows.features[~in_fold], rows.labels[~in_fold], rows.names, rows.directions, recipe)
    return predict_margins(booster, rows.features[in_fold])


def out_of_fold_margins(rows: TrainingRows, recipe: Recipe, tasks: Tasks) -> Floats:
    """Margins (n,) of every row, each from the model of this recipe that was trained without the row's fold."""
    margins_by_fold = tasks.map_tasks(fold_margins, [(recipe, fold) for fold in rows.folds], shared=rows)
    margins = np.full(len(rows.labels), np.nan)
    for fold, values in zip(rows.folds, margins_by_fold, strict=True):
        margins[rows.fold == fold] = values
    return margins


def _train_generation(
    rows: TrainingRows,
    recipes: Sequence[Recipe],
    floors: Sequence[PruningFloors],
    tasks: Tasks,
    progress: Progress | None,
) -> list[Trial]:
    """The trials of one generation. The longest tasks start first, so that the last ones to end are short."""
    work = [(number, fold) for number in range(len(recipes)) for fold in range(len(rows.folds))]
    work.sort(key=lambda item: -recipes[item[0]].leaves * recipes[item[0]].rounds)
    work_items = [(recipes[number], rows.folds[fold], floors[fold]) for number, fold in work]
    curves = dict(zip(work, tasks.map_tasks(fold_curve, work_items, shared=rows, progress=progress), strict=True))
    folds = range(len(rows.folds))
    return [Trial(recipe, tuple(curves[number, fold] for fold in folds)) for number, recipe in enumerate(recipes)]


def _pruning_floors(tried: Sequence[Trial], fold: int) -> PruningFloors:
    """For each checkpoint, the median over the earlier trials of the best AUC on a fold so far; empty before any
    trial."""
    curves = [trial.curves[fold] for trial in tried]
    stops = max(map(len, curves), default=0)
    reached = [[max(curve[: stop + 1]) for curve in curves if len(curve) > stop] for stop in range(stops)]
    return tuple(float(np.nan_to_num(np.median(best), nan=-np.inf)) for best in reached)


def _still_improving(tried: Sequence[Trial], patience: int) -> bool:
    """True when one of the last ``patience`` trials was better than all trials before it."""
    best = [max(trial.mean_aucs) for trial in tried]
    return len(best) - (best.index(max(best)) if best else 0) <= patience


def _progress_from(done: int, trials: int, folds: int, progress: Progress | None) -> Progress | None:
    return None if progress is None else lambda current, _: progress(done * folds + current, trials * folds)


def _within_one_error(differences: Floats) -> bool:
    known = differences[~np.isnan(differences)]
    error = float(np.std(known, ddof=1) / np.sqrt(len(known))) if len(known) > 1 else 0.0
    return float(np.mean(known)) <= error
