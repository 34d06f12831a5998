"""Evaluation of trees row by row: raw margins with LightGBM's bits, because they are summed in its order."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.scoring.trees.flat_forest import ABOVE, FEATURE, LEFT, RIGHT, FlatForest, goes_left, unpack
from models.scoring.trees.numba_compile import compiled, inner

Floats = NDArray[np.float64]


def margins(trees: FlatForest, rows: Floats) -> Floats:
    """Raw margins (n,) of rows (n, F)."""
    out = np.zeros(len(rows))
    _margins(trees, np.ascontiguousarray(rows, dtype=np.float64), out)
    return out


def leaves(trees: FlatForest, rows: Floats) -> NDArray[np.int64]:
    """The leaf (n, T) of each row in each tree."""
    out = np.zeros((len(rows), len(trees.start) - 1), dtype=np.int64)
    _leaves(trees, np.ascontiguousarray(rows, dtype=np.float64), out)
    return out


def expected_margin(trees: FlatForest) -> float:
    """The mean margin over the training rows, equal to the last column of LightGBM's ``pred_contrib``."""
    return float(_expected(trees))


@inner
def _leaf(trees: Any, tree: Any, row: Any) -> Any:
    first = trees.start[tree]
    splits = trees.start[tree + 1] - first
    node = np.uint64(0)
    while node < splits:
        split = trees.split[first + node]
        left = goes_left(trees, first + node, row[unpack(split, FEATURE)])
        node = unpack(split, LEFT) if left else unpack(split, RIGHT)
    return node - splits


@compiled
def _margins(trees: Any, rows: Any, out: Any) -> None:
    # Tree by tree over all rows: a tree stays in the CPU cache, and each sum still has the order of the trees.
    for tree in range(len(trees.start) - 1):
        first = trees.start[tree] + np.uint64(tree)
        for number in range(len(rows)):
            out[number] += trees.value[first + _leaf(trees, tree, rows[number])]


@compiled
def _leaves(trees: Any, rows: Any, out: Any) -> None:
    for tree in range(len(trees.start) - 1):
        for number in range(len(rows)):
            out[number, tree] = _leaf(trees, tree, rows[number])


@compiled
def _expected(trees: Any) -> float:
    total = 0.0
    for tree in range(len(trees.start) - 1):
        first = trees.start[tree]
        splits = trees.start[tree + 1] - first
        reach = np.ones(2 * splits + 1)  # the share of all rows that reaches each node
        for s in range(splits):
            i = first + s
            above = unpack(trees.split[i], ABOVE)
            before = 1.0 if above == 2 * splits else trees.share[2 * first + above]
            reach[unpack(trees.split[i], LEFT)] = reach[s] * trees.share[2 * i] / before
            reach[unpack(trees.split[i], RIGHT)] = reach[s] * trees.share[2 * i + 1] / before
        for leaf in range(splits + 1):
            total += reach[splits + leaf] * trees.value[first + np.uint64(tree) + leaf]
    return total
