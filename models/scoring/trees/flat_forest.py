"""A forest as flat arrays with one entry per split or leaf, for the compiled functions that evaluate it.

Split ``s`` of tree ``t`` is entry ``start[t] + s``; its leaf ``l`` is ``start[t] + t + l``, since a tree has one leaf
more than splits. Within a tree a node is a number: its S splits first (parents before children), then its leaves.
An edge is a number too: 2s to the left child of split ``s``, 2s + 1 to its right child; 2S means no edge.
"""

from __future__ import annotations

import itertools
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.scoring.trees.array_pointers import array_at
from models.scoring.trees.model_text import CATEGORICAL, MISSING_LEFT, NAN_MISSING, ZERO_MISSING, Forest
from models.scoring.trees.numba_compile import compiled, inner

Floats = NDArray[np.float64]
Wholes = NDArray[np.uint32]
LEFT, RIGHT, ABOVE, FEATURE = (np.uint64(16 * place) for place in range(4))  # their bit offsets in ``FlatForest.split``
_LOW = np.uint64(0xFFFF)
NAN_LEFT_BIT = 4
NAN_LEFT = 1 << NAN_LEFT_BIT  # in ``FlatForest.decision``: NaN goes left
ZERO = float(np.float32(1e-35))  # LightGBM's kZeroThreshold


class FlatForest(NamedTuple):
    """T trees, with N splits and N + T leaves in total."""

    start: NDArray[np.uint64]  # (T + 1,)
    split: NDArray[np.uint64]  # (N,) left node, right node, the last edge above on its feature, feature
    threshold: Floats  # (N,); for a categorical split, the index of its set in ``bounds``
    decision: NDArray[np.uint8]  # (N,) LightGBM's bits, and :data:`NAN_LEFT`
    share: Floats  # (2N,) share of a node's rows on an edge, multiplied over all edges on its feature down to here
    value: Floats  # (N + T,) of each leaf
    path_features: NDArray[np.uint8]  # (N + T,) number of different features on the path to each leaf
    repeated: NDArray[np.uint64]  # the edges below which their feature occurs again, tree by tree
    repeated_start: NDArray[np.uint64]  # (T + 1,)
    bounds: Wholes
    words: Wholes


@inner
def canonical_value(x: Any) -> float:
    """A value as LightGBM reads it from a matrix: a value within :data:`ZERO` of 0 is 0."""
    return 0.0 if -ZERO <= x <= ZERO else x


@inner
def unpack(split: Any, place: Any) -> Any:
    """One of the four 16-bit numbers of ``FlatForest.split``: packed, because the loops are limited by memory loads."""
    return (split >> place) & _LOW


@compiled
def flat_at(addresses: Any) -> FlatForest:
    """The first arrays of :func:`models.scoring.trees.array_pointers.addresses`, as a forest."""
    return FlatForest(
        array_at(addresses, 0, np.uint64),
        array_at(addresses, 1, np.uint64),
        array_at(addresses, 2, np.float64),
        array_at(addresses, 3, np.uint8),
        array_at(addresses, 4, np.float64),
        array_at(addresses, 5, np.float64),
        array_at(addresses, 6, np.uint8),
        array_at(addresses, 7, np.uint64),
        array_at(addresses, 8, np.uint64),
        array_at(addresses, 9, np.uint32),
        array_at(addresses, 10, np.uint32),
    )


def flatten(forest: Forest) -> FlatForest:
    """The forest as flat arrays."""
    trees = forest.trees
    splits = [len(tree.split_feature) for tree in trees]
    start = np.concatenate([[0], np.cumsum(splits)]).astype(np.uint64)
    feature, decision = (np.concatenate([getattr(t, name) for t in trees]) for name in ("split_feature", "decision"))
    nodes = [[np.where(c >= 0, c, s + ~c) for c in (t.left, t.right)] for t, s in zip(trees, splits, strict=True)]
    left, right = (np.concatenate([pair[side] for pair in nodes]).astype(np.uint64) for side in (0, 1))
    split = left << LEFT | right << RIGHT | feature.astype(np.uint64) << FEATURE
    value = np.concatenate([tree.leaf_value for tree in trees])
    rows = np.concatenate([np.concatenate([tree.inside, tree.leaf_count]) for tree in trees]).astype(np.float64)
    share, path_features = np.empty(2 * len(split)), np.zeros(len(value), dtype=np.uint8)
    _paths(start, split, rows, share, path_features)
    threshold, bounds, words = _thresholds(forest)
    repeated, repeated_start = _repeated_edges(start, split)
    nan_left = np.where(decision & NAN_MISSING, (decision & MISSING_LEFT) > 0, threshold >= 0)
    decision = (decision | np.where(nan_left, NAN_LEFT, 0)).astype(np.uint8)
    return FlatForest(
        start, split, threshold, decision, share, value, path_features, repeated, repeated_start, bounds, words
    )


def _repeated_edges(start: NDArray[np.uint64], split: NDArray[np.uint64]) -> tuple[NDArray[np.uint64], ...]:
    above = (split >> ABOVE) & _LOW
    edges_by_tree = []
    for first, end in itertools.pairwise(start.tolist()):
        edges = np.unique(above[first:end])
        edges_by_tree.append(edges[edges < 2 * (end - first)])
    return np.concatenate(edges_by_tree), np.cumsum([0, *map(len, edges_by_tree)]).astype(np.uint64)


def _thresholds(forest: Forest) -> tuple[Floats, Wholes, Wholes]:
    """Thresholds of all trees; a categorical split's is its place among the sets of all trees."""
    thresholds, bounds, words = [], [0], 0
    for tree in forest.trees:
        place = np.where((tree.decision & CATEGORICAL) > 0, len(bounds) - 1, 0)
        thresholds.append(tree.threshold + place)
        bounds += (tree.bounds[1:] + words).tolist()
        words += len(tree.words)
    return (
        np.concatenate(thresholds),
        np.array(bounds, dtype=np.uint32),
        np.concatenate([tree.words for tree in forest.trees]).astype(np.uint32),
    )


@compiled
def _paths(start: Any, split: Any, rows: Any, share: Any, path_features: Any) -> None:
    """Fill ``share``, ``path_features`` and ABOVE in ``split``, walking up from each split to the last on its
    feature."""
    for tree in range(np.uint64(len(start) - 1)):
        first = start[tree]
        splits = start[tree + 1] - first
        base = 2 * first + tree  # index of this tree's first node among the nodes of all trees
        by = np.full(2 * splits + 1, 2 * splits)  # the edge into each node
        unlike = np.zeros(2 * splits + 1, dtype=np.uint8)
        for s in range(splits):
            i, edge = first + s, by[s]
            while edge != 2 * splits and unpack(split[first + (edge >> 1)], FEATURE) != unpack(split[i], FEATURE):
                edge = by[edge >> 1]
            split[i] |= np.uint64(edge) << ABOVE
            before = 1.0 if edge == 2 * splits else share[2 * first + edge]
            for side in range(2):
                child = unpack(split[i], RIGHT if side else LEFT)
                by[child] = 2 * s + side
                share[2 * i + side] = before * rows[base + child] / rows[base + s]
                unlike[child] = unlike[s] + (1 if edge == 2 * splits else 0)
        for leaf in range(splits + 1):
            path_features[first + tree + leaf] = unlike[splits + leaf]


@inner
def goes_left(trees: Any, i: Any, x: Any) -> bool:
    """Whether ``x`` goes left at split ``i``, as LightGBM's ``Tree::NumericalDecision`` and ``CategoricalDecision``
    decide."""
    how, x = trees.decision[i], canonical_value(x)
    if how & CATEGORICAL:
        # A category is truncated to an integer below 2**31; a missing, negative or larger value is in no set.
        if not -1.0 < x < 2147483648.0:
            return False
        category, place = np.uint32(max(x, 0.0)), np.uint32(trees.threshold[i])
        word = trees.bounds[place] + (category >> np.uint32(5))
        if word >= trees.bounds[place + 1]:
            return False
        return bool((trees.words[word] >> (category & np.uint32(31))) & np.uint32(1)) != 0
    if x != x and not how & NAN_MISSING:
        x = 0.0
    if (how & ZERO_MISSING and x == 0.0) or x != x:
        return bool(how & MISSING_LEFT)
    return bool(x <= trees.threshold[i])
