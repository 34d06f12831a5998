"""The search for a recipe (超参数搜索): trials times folds as tasks, judged out of fold, the best of several averaged.

Trials come in *generations*: each is asked for as a whole, grown wherever there is room, and told of as a whole, so the
same order finds the same recipe on two workers and on two hundred, whoever is first. A task grows one trial on one
fold and is looked at on the way; where it is behind the median of the earlier generations at that stop it is given up
(the median rule of Golovin et al. 2017, Google Vizier, section 3.2.3). What it needs to know it is sent, so no task
waits for another. Plain tasks in processes that are there already: with Ray Tune, which starts an actor for each trial,
the same search took longer than one trial after another.

A fold holds whole subjects, so a subject's own past never helps to tell its future. Among the recipes whose mean fold
AUC is within one standard error of the best (of the paired difference over the folds; Breiman, Friedman, Olshen and
Stone 1984, section 3.4.3) the order of the figures is chance: the best of several trials are averaged, or the smallest
model alone is taken, as the order says.
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
PruningFloors = tuple[float, ...]  # at each stop, the AUC under which a fold is given up
MINIMUM_GENERATION, GENERATIONS = 4, 4  # trials in a generation, and into how many a long search is cut


@dataclass(frozen=True, slots=True)
class Trial:
    """A recipe that was tried, and on each fold its AUC after each stop that it reached."""

    recipe: Recipe
    curves: tuple[tuple[float, ...], ...]

    @property
    def pruned(self) -> bool:
        """Whether it was given up on some fold."""
        return any(len(curve) < len(self.recipe.checkpoints) for curve in self.curves)

    @property
    def auc_by_checkpoint(self) -> Floats:
        """(stops, folds) AUC, of the stops that it reached on every fold."""
        reached = min(map(len, self.curves))
        return np.array([curve[:reached] for curve in self.curves]).T

    @property
    def mean_aucs(self) -> list[float]:
        """The mean AUC over the folds after each stop."""
        return [float(np.nanmean(aucs)) for aucs in self.auc_by_checkpoint]


@dataclass(frozen=True, slots=True)
class SearchResult:
    """The recipe taken, with the rounds it was stopped at, and what was compared."""

    recipe: Recipe
    compared: tuple[Mapping[str, Any], ...]


def fold_curve(rows: TrainingRows, task: tuple[Recipe, int, PruningFloors]) -> tuple[float, ...]:
    """AUC on the rows of one fold of a model grown on the others, at each stop until it falls behind the floors."""
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
    """Try recipes as an order's ``training`` section says (trials, patience, seed, space), and take one."""
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
    """Of the recipes (each at each of its stops) those within one standard error of the best, or the smallest of them.

    ``members`` of them at the most are averaged, each of another trial. Of one alone ``prefer`` says which: the
    smallest, or the best.
    """
    candidates = [
        (replace(trial.recipe, rounds=stop), aucs, number, trial.pruned)
        for number, trial in enumerate(tried, start=1)
        for stop, aucs in zip(
            trial.recipe.checkpoints, trial.auc_by_checkpoint, strict=False
        )  # a trial given up has no last stops
    ]
    best = max(candidates, key=lambda candidate: float(np.nanmean(candidate[1])))
    equivalent = [candidate for candidate in candidates if _within_one_error(best[1] - candidate[1])] or [best]
    equivalent.sort(key=lambda candidate: -float(np.nanmean(candidate[1])))
    if members > 1:
        best_of_trial = {
            number: recipe for recipe, _, number, _ in reversed(equivalent)
        }  # the best of each trial stays
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
    """Margins of the rows of one fold by a model grown on the others."""
    recipe, fold = task
    in_fold = rows.fold == fold
    booster = train_booster(rows.features[~in_fold], rows.labels[~in_fold], rows.names, rows.directions, recipe)
    return predict_margins(booster, rows.features[in_fold])


def out_of_fold_margins(rows: TrainingRows, recipe: Recipe, tasks: Tasks) -> Floats:
    """Margins (n,) of every row by the model of this recipe that did not see its subject."""
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
    """The trials of one generation; the longest work is given out first, so that nobody waits long for the last."""
    work = [(number, fold) for number in range(len(recipes)) for fold in range(len(rows.folds))]
    work.sort(key=lambda item: -recipes[item[0]].leaves * recipes[item[0]].rounds)
    work_items = [(recipes[number], rows.folds[fold], floors[fold]) for number, fold in work]
    curves = dict(zip(work, tasks.map_tasks(fold_curve, work_items, shared=rows, progress=progress), strict=True))
    folds = range(len(rows.folds))
    return [Trial(recipe, tuple(curves[number, fold] for fold in folds)) for number, recipe in enumerate(recipes)]


def _pruning_floors(tried: Sequence[Trial], fold: int) -> PruningFloors:
    """The median, over earlier trials, of the best AUC on a fold up to each stop; none before there are any."""
    curves = [trial.curves[fold] for trial in tried]
    stops = max(map(len, curves), default=0)
    reached = [[max(curve[: stop + 1]) for curve in curves if len(curve) > stop] for stop in range(stops)]
    return tuple(float(np.nan_to_num(np.median(best), nan=-np.inf)) for best in reached)


def _still_improving(tried: Sequence[Trial], patience: int) -> bool:
    """Whether one of the last ``patience`` trials was better than all before it."""
    best = [max(trial.mean_aucs) for trial in tried]
    return len(best) - (best.index(max(best)) if best else 0) <= patience


def _progress_from(done: int, trials: int, folds: int, progress: Progress | None) -> Progress | None:
    return None if progress is None else lambda current, _: progress(done * folds + current, trials * folds)


def _within_one_error(differences: Floats) -> bool:
    known = differences[~np.isnan(differences)]
    error = float(np.std(known, ddof=1) / np.sqrt(len(known))) if len(known) > 1 else 0.0
    return float(np.mean(known)) <= error
