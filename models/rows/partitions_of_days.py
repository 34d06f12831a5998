"""The partitions that a release needs: those of its days that are kept already, and the others made once and for all.

A partition is made of the built-in columns of the kind alone, over every subject that is active on the day, and never
of what a request asks for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from credit.actor import Actor
from credit.errors import Refused
from models.lineage.exposure import ExposedColumn
from models.rows.observed import ExactRows
from models.rows.partition.mondrian import mondrian
from models.rows.partition.ranks import weighted_ranks
from models.rows.partition.stored import OPEN, Partition, PartitionStore
from models.rows.partition.weights import column_weights
from models.rows.policy import RowsPolicy
from models.rows.shown import partition_of

Partitioner = Callable[[NDArray[np.float64], int], NDArray[np.int64]]
"""From points (n, C) and k to the group (n,) of each."""


@dataclass(frozen=True, slots=True)
class PartitionRecipe:
    """What partitions are made with: the policy, the lineage of the built-in columns, and the champion's gains."""

    policy: RowsPolicy
    columns: Mapping[str, ExposedColumn]
    gains: dict[str, float]
    release: str
    partitioner: Partitioner = mondrian


def partition_rows(rows: ExactRows, recipe: PartitionRecipe) -> Partition:
    """The partition of one day's rows, which have the built-in columns: by what is open, and by each market table.

    Raises :class:`Refused` for fewer than k subjects.
    """
    order = np.argsort(rows.subjects.astype(np.str_), kind="stable")
    ordered = rows.where(order)
    sources: dict[str, list[str]] = {OPEN: []}
    for name, column in recipe.columns.items():
        sources.setdefault(partition_of(column), []).append(name)
    groups: dict[str, NDArray[np.int64]] = {}
    for source, names in sources.items():
        k = recipe.policy.k if source == OPEN else recipe.policy.market_k
        weights = column_weights(names, recipe.gains)
        points = weighted_ranks([ordered.columns[name] for name in names], weights) if names else _no_points(ordered)
        groups[source] = recipe.partitioner(points, k)
    about: dict[str, Any] = {
        "release": recipe.release,
        "k": recipe.policy.k,
        "market_k": recipe.policy.market_k,
        "weights": "champion" if recipe.gains else "equal",
        "groups": {source: int(each.max()) + 1 for source, each in groups.items()},
        "columns": dict(sources),
    }
    return Partition(ordered.subjects, groups, about)


def require_k(partition: Partition, policy: RowsPolicy, day: date) -> Partition:
    """The partition; raises :class:`Refused` when policy now asks for larger groups than it was made with.

    It is not made again: two partitions of a day can be intersected.
    """
    made = partition.about
    if made["k"] < policy.k or made["market_k"] < policy.market_k:
        raise Refused("rows.partition-too-fine", day=day, made=made["k"], k=policy.k)
    return partition


def kept(store: PartitionStore, kind: str, days: tuple[date, ...], policy: RowsPolicy) -> dict[date, Partition]:
    """The partitions of these days that there are."""
    loaded = {day: store.load(kind, day) for day in days}
    return {day: require_k(each, policy, day) for day, each in loaded.items() if each is not None}


def keep_new(
    store: PartitionStore, kind: str, rows: ExactRows, days: tuple[date, ...], recipe: PartitionRecipe, *, by: Actor
) -> dict[date, Partition]:
    """Make and keep the partition of each of the days, from the exact built-in rows of them."""
    made = {}
    for day in days:
        partition = partition_rows(rows.where(rows.days == np.datetime64(day, "D")), recipe)
        made[day] = require_k(store.keep(kind, day, partition, by=by), recipe.policy, day)
    return made


def _no_points(rows: ExactRows) -> NDArray[np.float64]:
    return np.zeros((len(rows), 1))
