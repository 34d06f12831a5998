"""Data-parallel LightGBM: the rows of one model are cut into shards, one for each member of a worker group.

Every member finds the best splits of its share of the features from the histograms of all members (LightGBM's
``tree_learner=data``; Meng et al. 2016, "A communication-efficient parallel algorithm for decision tree", section 1).
Three things are made sure:

- **The members are connected.** Without machines and ports each member would train alone on 1/N of the rows and report
  no error; so a root that counts fewer rows than there are is an error here.
- **The bins are those of one machine.** Every member makes them from the same rows, not from its own.
- **The number of shards belongs to the recipe**, not to the cluster: sums over other shards differ in their last bits.

LightGBM sends this over plain TCP without authentication: the network between the workers must be closed to others.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import lightgbm
import numpy as np
from numpy.typing import NDArray

from credit.errors import Broken
from models.distributed.worker_group import Peers, WorkerGroup
from models.scoring.trees import walk
from models.scoring.trees.flat_forest import flatten
from models.scoring.trees.leaf_counts import leaves_per_tree, with_leaf_counts
from models.scoring.trees.model_text import read, without_settings

Floats = NDArray[np.float64]
BIN_ROWS = 50_000  # rows that every member makes the bins from: 200,000 took a third of the whole time
CONNECT_MINUTES = 2


@dataclass(frozen=True, slots=True, eq=False)
class SharedSetup:
    """What all members receive: rows for the bins (b, F), feature names, LightGBM's parameters, and the number of
    rounds."""

    binned: Floats
    names: tuple[str, ...]
    settings: Mapping[str, Any]
    rounds: int


@dataclass(frozen=True, slots=True, eq=False)
class Shard:
    """What one member receives for itself: its rows (m, F) and labels (m,)."""

    features: Floats
    labels: NDArray[Any]


@dataclass(frozen=True, slots=True, eq=False)
class ShardResult:
    """What a member returns: the trees as LightGBM wrote them, and the number of its own rows in each leaf of each
    tree."""

    text: str
    counts: NDArray[np.int64]


def train_sharded(
    features: Floats,
    labels: NDArray[Any],
    names: Sequence[str],
    settings: Mapping[str, Any],
    rounds: int,
    shards: int,
    worker_group: WorkerGroup,
) -> Any:
    """A booster on features (n, F) and 0/1 labels (n,) cut into ``shards``, with LightGBM's ``settings``.

    Its text has the exact number of rows in each leaf. Raises :class:`Broken` when the members did not train one common
    model on all rows.
    """
    setup = SharedSetup(features[:: -(-len(labels) // BIN_ROWS)], tuple(names), dict(settings), rounds)
    parts = map(Shard, np.array_split(features, shards), np.array_split(labels, shards))
    results: list[ShardResult] = worker_group.run_together(train_shard, setup, list(parts))
    text = results[0].text
    leaves = leaves_per_tree(text)
    if any(result.text != text for result in results):
        raise Broken("sharded-growth.members-gang-grew-different-models")
    if min(leaves, default=1) < 2:
        return lightgbm.Booster(model_str=text)  # nothing to count; the caller handles a booster without a split
    booster = lightgbm.Booster(model_str=text)
    if any(count != len(labels) for count in root_counts(booster)):
        raise Broken("sharded-growth.members-gang-did-not-see", labels_count=len(labels))
    counts = np.split(np.sum([result.counts for result in results], axis=0), np.cumsum(leaves)[:-1])
    return lightgbm.Booster(model_str=with_leaf_counts(text, counts))


def train_shard(peers: Peers, setup: SharedSetup, shard: Shard) -> ShardResult:
    """The work of one member: train together with the others, then count its own rows in the leaves."""
    machines = ",".join(f"{host}:{port}" for host, port in peers.addresses)
    network = {
        "tree_learner": "data",
        "pre_partition": True,
        "num_machines": len(peers.addresses),
        "machines": machines,
        "local_listen_port": peers.addresses[peers.rank][1],
        "time_out": CONNECT_MINUTES,
    }
    settings = dict(setup.settings) | {"pre_partition": True, "feature_pre_filter": False}
    names = list(setup.names)
    bins = lightgbm.Dataset(setup.binned, feature_name=names, params=settings).construct()
    data = lightgbm.Dataset(
        shard.features, shard.labels, reference=bins, feature_name=names, params=settings
    ).construct()
    text = without_settings(lightgbm.train(settings | network, data, setup.rounds).model_to_string())
    leaves = leaves_per_tree(text)
    if min(leaves, default=1) < 2:
        return ShardResult(text, np.zeros(0, dtype=np.int64))
    forest = read(with_leaf_counts(text, [np.ones(count, dtype=np.int64) for count in leaves]), names)
    leaves_of_rows = walk.leaves(flatten(forest), shard.features)
    counts = [np.bincount(leaves_of_rows[:, tree], minlength=count) for tree, count in enumerate(leaves)]
    return ShardResult(text, np.concatenate(counts).astype(np.int64))


def root_counts(booster: Any) -> list[int]:
    """The number of rows that LightGBM counted at the root of each tree."""
    return [int(tree["tree_structure"].get("internal_count", 0)) for tree in booster.dump_model()["tree_info"]]
