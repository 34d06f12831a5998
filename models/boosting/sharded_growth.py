"""Data-parallel LightGBM: the rows of one model cut into shards, a member of a gang for each.

Every member finds the best splits of its share of features from the histograms of all (LightGBM's
``tree_learner=data``; Meng et al. 2016, "A communication-efficient parallel algorithm for decision tree", §1). Seen to:

- **The network is really there.** Without machines and ports each member would train alone on 1/N of the rows, without
  a word; here a root that counts other rows than all is an error.
- **Bins are those of one machine**: every member makes them from the same rows, not from its own.
- **The number of shards belongs to the recipe**, not to the cluster: sums of other shards differ in their last bits.

LightGBM talks over plain TCP without any authentication: the network between the workers must be closed to others.
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
BIN_ROWS = 50_000  # rows that bins are made from, by every member: 200,000 took a third of the whole time
CONNECT_MINUTES = 2


@dataclass(frozen=True, slots=True, eq=False)
class SharedSetup:
    """What all members are told: rows for the bins (b, F), names, LightGBM's settings, rounds."""

    binned: Floats
    names: tuple[str, ...]
    settings: Mapping[str, Any]
    rounds: int


@dataclass(frozen=True, slots=True, eq=False)
class Shard:
    """What a member is given for itself: its rows (m, F) with labels (m,)."""

    features: Floats
    labels: NDArray[Any]


@dataclass(frozen=True, slots=True, eq=False)
class ShardResult:
    """What a member gives: the trees as LightGBM wrote them, and its own rows in each leaf, tree after tree."""

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

    Its text counts the rows of each leaf exactly. Raises :class:`Broken` when the members did not grow one model of all
    rows together.
    """
    setup = SharedSetup(features[:: -(-len(labels) // BIN_ROWS)], tuple(names), dict(settings), rounds)
    parts = map(Shard, np.array_split(features, shards), np.array_split(labels, shards))
    results: list[ShardResult] = worker_group.run_together(train_shard, setup, list(parts))
    text = results[0].text
    leaves = leaves_per_tree(text)
    if any(result.text != text for result in results):
        raise Broken("sharded-growth.members-gang-grew-different-models")
    if min(leaves, default=1) < 2:
        return lightgbm.Booster(model_str=text)  # nothing to count: whoever asked says what that means
    booster = lightgbm.Booster(model_str=text)
    if any(count != len(labels) for count in root_counts(booster)):
        raise Broken("sharded-growth.members-gang-did-not-see", labels_count=len(labels))
    counts = np.split(np.sum([result.counts for result in results], axis=0), np.cumsum(leaves)[:-1])
    return lightgbm.Booster(model_str=with_leaf_counts(text, counts))


def train_shard(peers: Peers, setup: SharedSetup, shard: Shard) -> ShardResult:
    """A member's part: grow with the others, then count its own rows."""
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
    """The rows LightGBM itself counted at the root of each tree."""
    return [int(tree["tree_structure"].get("internal_count", 0)) for tree in booster.dump_model()["tree_info"]]
