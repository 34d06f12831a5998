"""The door to LightGBM for training. The same rows and the same recipe give the same text, to the byte.

Deterministic: one thread a task, fixed seeds, row-wise histograms. Monotone in the declared directions with LightGBM's
``basic`` method (Auguste, Malory and Smirnov 2020, §3), which the promotion gate proves on the trees. Where a tree is
grown on a part of the rows only (stochastic gradient boosting, Friedman 2002), its text counts all rows of each leaf.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import lightgbm
import numpy as np
from numpy.typing import NDArray

from credit.errors import Refused
from models.boosting.recipe import Recipe
from models.boosting.sharded_growth import train_sharded
from models.distributed.worker_group import ThreadWorkerGroup, WorkerGroup
from models.scoring.trees import walk
from models.scoring.trees.averaging import average_texts
from models.scoring.trees.constant_trees import merge_constant_trees
from models.scoring.trees.flat_forest import flatten
from models.scoring.trees.leaf_counts import leaves_per_tree, with_leaf_counts
from models.scoring.trees.model_text import read, without_settings

Floats = NDArray[np.float64]


def train_booster(
    features: Floats,
    labels: NDArray[Any],
    names: Sequence[str],
    directions: Sequence[int],
    recipe: Recipe,
    worker_group: WorkerGroup | None = None,
) -> Any:
    """A booster of ``recipe`` on features (n, F) and 0/1 labels (n,).

    A recipe of several shards is grown by a ``gang``, by threads of this process where none is given: the same trees.
    """
    if recipe.shards > 1:
        params = lightgbm_params(directions, recipe)
        return train_sharded(
            features, labels, names, params, recipe.rounds, recipe.shards, worker_group or ThreadWorkerGroup()
        )
    return average_boosters([_train_one(features, labels, names, directions, each) for each in recipe.members])


def average_boosters(boosters: Sequence[Any]) -> Any:
    """The booster whose margins are the mean of theirs; of one, itself."""
    if len(boosters) == 1:
        return boosters[0]
    return lightgbm.Booster(model_str=average_texts([without_settings(each.model_to_string()) for each in boosters]))


def _train_one(
    features: Floats, labels: NDArray[Any], names: Sequence[str], directions: Sequence[int], recipe: Recipe
) -> Any:
    *_, booster = train_in_steps(features, labels, names, directions, recipe)
    text = without_settings(booster.model_to_string())
    leaves = leaves_per_tree(text)
    if max(leaves, default=1) < 2 or (recipe.row_share == 1.0 and min(leaves) > 1):
        return booster  # as it is: without a split whoever asked says what that means
    text = merge_constant_trees(text)
    if recipe.row_share < 1.0:
        leaves_of_rows = walk.leaves(
            flatten(read(text, names)), features
        )  # every row, whether or not a tree was grown on it
        text = with_leaf_counts(
            text,
            [
                np.bincount(leaf_of_row, minlength=n)
                for leaf_of_row, n in zip(leaves_of_rows.T, leaves_per_tree(text), strict=True)
            ],
        )
    return lightgbm.Booster(model_str=text)


def train_in_steps(
    features: Floats, labels: NDArray[Any], names: Sequence[str], directions: Sequence[int], recipe: Recipe
) -> Iterator[Any]:
    """The booster of one recipe alone (of one shard), at each of its stops; whoever looks may leave."""
    settings = lightgbm_params(directions, recipe)
    data = lightgbm.Dataset(features, labels, feature_name=list(names), params=settings)
    booster = lightgbm.Booster(settings, data)
    for number in range(1, recipe.rounds + 1):
        booster.update()
        if number in recipe.checkpoints:
            yield booster


def lightgbm_params(directions: Sequence[int], recipe: Recipe) -> dict[str, Any]:
    """A recipe in LightGBM's words."""
    return {
        "objective": "binary",
        "num_leaves": recipe.leaves,
        "learning_rate": recipe.rate,
        "min_data_in_leaf": recipe.minimum_leaf,
        "max_bin": 127,
        "lambda_l2": recipe.l2,
        "feature_fraction": recipe.feature_share,
        "feature_fraction_bynode": recipe.split_share,
        **({"bagging_fraction": recipe.row_share, "bagging_freq": 1} if recipe.row_share < 1 else {}),
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


def model_text_of(booster: Any) -> str:
    """The booster as the text that is sealed; raises :class:`Refused` when it never splits."""
    if booster.num_trees() == 0 or "num_leaves=1\n" in (text := booster.model_to_string()):
        raise Refused("booster.model-nothing-to-say")
    return without_settings(text)


def predict_margins(booster: Any, features: Floats, rounds: int | None = None) -> Floats:
    """Raw margins (n,) after ``rounds`` trees (None: all)."""
    return np.asarray(booster.predict(features, raw_score=True, num_iteration=rounds or -1, num_threads=1))


def baseline_margins(features: Floats, labels: NDArray[Any], other_features: Floats) -> Floats:
    """Raw margins of ``others`` by LightGBM with its own settings, no direction declared: what we compare with."""
    data = lightgbm.Dataset(features, labels, params={"verbosity": -1})
    settings = {"objective": "binary", "verbosity": -1, "num_threads": 1, "deterministic": True, "seed": 0}
    return predict_margins(lightgbm.train(settings, data), other_features)
