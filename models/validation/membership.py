"""Membership inference (成员推断): how well an attacker recognises the subjects a model was trained on, by LiRA.

The likelihood-ratio attack of Carlini et al. 2022 ("Membership inference attacks from first principles", algorithm 1):
shadow models are trained on random halves of the subjects; for every row the log-odds of its own outcome are taken as
Gaussian, once over the models that had its subject and once over those that had not, with one variance for all rows, as
the paper advises for few shadows. Every model in turn is the one attacked and the others are its shadows, so each
figure is over (shadows + 1) attacks. The unit is the subject: all its rows are in a model, or none.

It is run on a sample of the subjects, and on the first booster of an average: models of fewer rows remember more, so
the figures are above those of the version itself, and an average remembers as its boosters do (decision 0024).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.boosting.booster import predict_margins, train_booster
from models.boosting.recipe import Recipe
from models.dataset.matrix import TrainingRows
from models.distributed.ray_cluster import Tasks
from models.metrics.discrimination import auc
from models.privacy.floors import PrivacyFloors

Floats = NDArray[np.float64]
SEED = 20_261_130
FALSE_RATES = (0.001, 0.01)
NAMES = ("tpr_at_0_1_percent", "tpr_at_1_percent")


@dataclass(frozen=True, slots=True, eq=False)
class ShadowTask:
    """One shadow model: its recipe, and which rows (n,) it is trained on."""

    recipe: Recipe
    inside: NDArray[np.bool_]


def measure_membership(
    rows: TrainingRows,
    recipe: Recipe,
    tasks: Tasks,
    floors: PrivacyFloors,
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, Any]:
    """``shadows, subjects, rows, auc, tpr_at_0_1_percent, tpr_at_1_percent, defaulted {rows, auc, tpr_…}``.

    ``rows`` are those a model of ``recipe`` is trained on, coarsened. True positive rates are shares of the members
    that are found where the named share of the others is taken for members.
    """
    random = np.random.default_rng(SEED)
    sample = _sample(rows, floors.membership_subjects, random)
    inside = _halves(sample.units, floors.membership_shadows + 1, random)
    work = [ShadowTask(replace(recipe.members[0], shards=1), mask) for mask in inside]
    margins = np.stack(tasks.map_tasks(shadow_margins, work, shared=sample, progress=progress))
    confidence = np.where(sample.labels == 1, margins, -margins)  # the log-odds of the row's own outcome
    ratios = np.stack([likelihood_ratios(confidence, inside, target) for target in range(len(inside))])
    bad = sample.labels == 1
    return {
        "shadows": floors.membership_shadows,
        "subjects": len(np.unique(sample.units)),
        "rows": len(sample.labels),
        **_figures(ratios, inside),
        "defaulted": {"rows": int(bad.sum()), **_figures(ratios[:, bad], inside[:, bad])},
    }


def shadow_margins(rows: TrainingRows, task: ShadowTask) -> Floats:
    """Margins (n,) of every row by one shadow model. A module-level function, so that a cluster can run it."""
    learnt = rows.select(task.inside)
    booster = train_booster(learnt.features, learnt.labels, rows.names, rows.directions, task.recipe)
    return predict_margins(booster, rows.features)


def likelihood_ratios(confidence: Floats, inside: NDArray[np.bool_], target: int) -> Floats:
    """The log-likelihood ratio (n,) that each row was in the model ``target``, by all the other models.

    ``confidence`` and ``inside`` are (models, n).
    """
    others = np.arange(len(inside)) != target
    scores, members = confidence[others], inside[others]
    means, spreads = [], []
    for mask in (members, ~members):
        count = np.maximum(mask.sum(axis=0), 1)
        mean = np.where(mask, scores, 0.0).sum(axis=0) / count
        squares = np.where(mask, (scores - mean) ** 2, 0.0).sum()
        means.append(mean)
        spreads.append(max(float(squares) / max(1, int((count - 1).sum())), 1e-12))
    distances = [(confidence[target] - mean) ** 2 / (2 * spread) for mean, spread in zip(means, spreads, strict=True)]
    ratio: Floats = distances[1] - distances[0] + 0.5 * (np.log(spreads[1]) - np.log(spreads[0]))
    return ratio


def _figures(ratios: Floats, inside: NDArray[np.bool_]) -> dict[str, float]:
    scores, members = ratios.ravel(), inside.ravel()
    others = np.sort(scores[~members])
    figures = {"auc": auc(members.astype(np.int8), scores)}
    for name, rate in zip(NAMES, FALSE_RATES, strict=True):
        allowed = int(rate * len(others))  # of the others, above the threshold
        threshold = others[len(others) - 1 - allowed] if len(others) else np.inf
        figures[name] = float(np.mean(scores[members] > threshold)) if members.any() else float("nan")
    return figures


def _sample(rows: TrainingRows, most: int, random: np.random.Generator) -> TrainingRows:
    everyone = np.unique(rows.units)
    if len(everyone) <= most:
        return rows
    chosen = random.permutation(everyone)[:most]
    return rows.select(np.isin(rows.units, chosen))


def _halves(units: NDArray[np.int64], models: int, random: np.random.Generator) -> NDArray[np.bool_]:
    """Which rows (models, n) each model is trained on: half of the subjects, and every subject by half the models."""
    _, numbers = np.unique(units, return_inverse=True)
    draws = random.random((models, int(numbers.max()) + 1))
    ranks = np.argsort(np.argsort(draws, axis=0), axis=0)  # for each subject, an order of the models
    return np.asarray((ranks < models // 2)[:, numbers], dtype=np.bool_)
