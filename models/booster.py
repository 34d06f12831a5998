"""The door to LightGBM for training. The same rows and the same recipe give the same text, to the byte.

Deterministic: one thread a task, fixed seeds, row-wise histograms, no bagging. Monotone in the declared directions with
LightGBM's ``basic`` method (Auguste, Malory and Smirnov 2020, §3), which the promotion gate proves on the trees.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
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
    """How a booster is grown: what the search chooses, and what the order fixes (seed and shards)."""

    leaves: int
    rate: float
    rounds: int
    minimum_leaf: int
    seed: int
    shards: int = 1  # the parts its rows are cut into, each for a worker of its own
    l2: float = 1.0
    feature_share: float = 1.0  # of the features, drawn anew for each tree from the seed

    @property
    def stops(self) -> tuple[int, ...]:
        """The rounds at which a growing model is looked at."""
        return tuple(sorted({max(1, round(self.rounds * share)) for share in SHARES}))

    def as_json(self) -> dict[str, Any]:
        """The recipe as plain values."""
        return {each.name: getattr(self, each.name) for each in fields(self)}


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
    if recipe.shards > 1:
        told = settings(directions, recipe)
        return grow_sharded(features, labels, names, told, recipe.rounds, recipe.shards, gang or Threads())
    *_, whole = growing(features, labels, names, directions, recipe)
    return whole


def growing(
    features: Floats, labels: NDArray[Any], names: Sequence[str], directions: Sequence[int], recipe: Recipe
) -> Iterator[Any]:
    """The booster that :func:`grow` gives (of one shard), at each of the recipe's stops; whoever looks may leave."""
    told = settings(directions, recipe)
    data = lightgbm.Dataset(features, labels, feature_name=list(names), params=told)
    booster = lightgbm.Booster(told, data)
    for number in range(1, recipe.rounds + 1):
        booster.update()
        if number in recipe.stops:
            yield booster


def settings(directions: Sequence[int], recipe: Recipe) -> dict[str, Any]:
    """A recipe in LightGBM's words."""
    return {
        "objective": "binary",
        "num_leaves": recipe.leaves,
        "learning_rate": recipe.rate,
        "min_data_in_leaf": recipe.minimum_leaf,
        "max_bin": 127,
        "lambda_l2": recipe.l2,
        "feature_fraction": recipe.feature_share,
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
