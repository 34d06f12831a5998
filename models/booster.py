"""The door to LightGBM for training. The same rows and the same recipe give the same text, to the byte.

Deterministic: one thread a task, fixed seeds, row-wise histograms, no bagging. Monotone in the declared directions with
LightGBM's ``basic`` method (Auguste, Malory and Smirnov 2020, §3), which the promotion gate proves on the trees.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import lightgbm
import numpy as np
from numpy.typing import NDArray

from credit.errors import Refused
from models.parallel.gang import Gang, Threads
from models.parallel.shards import grow_sharded
from models.trees.model_text import plain

Floats = NDArray[np.float64]
SHARES = (0.25, 0.5, 1.0)  # of the rounds: where the search looks at a growing model


@dataclass(frozen=True, slots=True)
class Recipe:
    """What the search chooses among: leaves a tree, learning rate, rounds; and what the order fixes."""

    leaves: int
    rate: float
    rounds: int
    minimum_leaf: int
    seed: int
    shards: int = 1  # the parts its rows are cut into, each for a worker of its own

    @property
    def stops(self) -> tuple[int, ...]:
        """The rounds at which a growing model is looked at."""
        return tuple(sorted({max(1, round(self.rounds * share)) for share in SHARES}))

    def as_json(self) -> dict[str, Any]:
        """The recipe as plain values."""
        return {name: getattr(self, name) for name in ("leaves", "rate", "rounds", "minimum_leaf", "seed", "shards")}


# From small to large; an order's `training.trials` says how many of them are tried.
_GRID = ((4, 0.08, 160), (8, 0.06, 200), (6, 0.12, 80), (15, 0.05, 200), (3, 0.1, 200), (24, 0.03, 300))


def recipes(training: Mapping[str, Any]) -> tuple[Recipe, ...]:
    """The recipes an order's ``training`` section (trials, seed, minimum_leaf) asks to try."""
    trials = int(training.get("trials", 4))
    leaf, seed = int(training.get("minimum_leaf", 40)), int(training.get("seed", 7))
    return tuple(Recipe(leaves, rate, rounds, leaf, seed) for leaves, rate, rounds in _GRID[: max(1, trials)])


def grow(
    features: Floats,
    labels: NDArray[Any],
    names: Sequence[str],
    directions: Sequence[int],
    recipe: Recipe,
    gang: Gang | None = None,
) -> Any:
    """A booster of ``recipe`` on features (n, F) and 0/1 labels (n,).

    A recipe of several shards is grown by a ``gang``, by threads of this process where none is given: the same trees.
    """
    told = settings(directions, recipe)
    if recipe.shards > 1:
        return grow_sharded(features, labels, names, told, recipe.rounds, recipe.shards, gang or Threads())
    data = lightgbm.Dataset(features, labels, feature_name=list(names), params={"verbosity": -1, "max_bin": 127})
    return lightgbm.train(told, data, recipe.rounds)


def settings(directions: Sequence[int], recipe: Recipe) -> dict[str, Any]:
    """A recipe in LightGBM's words."""
    return {
        "objective": "binary",
        "num_leaves": recipe.leaves,
        "learning_rate": recipe.rate,
        "min_data_in_leaf": recipe.minimum_leaf,
        "max_bin": 127,
        "lambda_l2": 1.0,
        "monotone_constraints": list(directions),
        # "intermediate" and "advanced" forget where missing values go, and break the direction there (seen on the
        # invented city by the promotion gate); "basic" holds always and costs 0.000 to 0.003 of AUC.
        "monotone_constraints_method": "basic",
        "deterministic": True,
        "force_row_wise": True,
        "seed": recipe.seed,
        "num_threads": 1,
        "verbosity": -1,
    }


def text_of(booster: Any) -> str:
    """The booster as the text that is sealed; raises :class:`Refused` when it never splits."""
    if booster.num_trees() == 0 or "num_leaves=1\n" in (text := booster.model_to_string()):
        raise Refused(
            "The model has nothing to say",
            why="no split of the rows leaves enough of them on both sides",
            remedy="Take more subjects, or a smaller training.minimum_leaf",
        )
    return plain(text)


def margins(booster: Any, features: Floats, rounds: int | None = None) -> Floats:
    """Raw margins (n,) after ``rounds`` trees (None: all)."""
    return np.asarray(booster.predict(features, raw_score=True, num_iteration=rounds or -1, num_threads=1))


def plain_margins(features: Floats, labels: NDArray[Any], others: Floats) -> Floats:
    """Raw margins of ``others`` by LightGBM with its own settings, no direction declared: what we compare with."""
    data = lightgbm.Dataset(features, labels, params={"verbosity": -1})
    settings = {"objective": "binary", "verbosity": -1, "num_threads": 1, "deterministic": True, "seed": 0}
    return margins(lightgbm.train(settings, data), others)
