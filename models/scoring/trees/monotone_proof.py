"""A proof on the trees that a larger value moves the raw score only in its declared direction.

A sum of monotone trees is monotone, so each tree is proved separately. Two rows that differ in one feature fall into
two
leaves whose boxes share a point in every other feature; so a tree is monotone in a feature exactly when, for each such
pair of leaves, the leaf at the larger values has the larger value (direction +1) or the smaller one (-1). A missing
value is a separate point, neither larger nor smaller than any number.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.scoring.trees.model_text import Forest, Tree

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class LeafBoxes:
    """The leaves of a tree as boxes: ``low < x <= high`` per feature (L, F), and whether a missing value gets there."""

    low: Floats
    high: Floats
    missing: NDArray[np.bool_]


def leaf_boxes(tree: Tree, features: int) -> LeafBoxes:
    """The box of every leaf."""
    leaves = len(tree.leaf_value)
    low, high = np.full((leaves, features), -np.inf), np.full((leaves, features), np.inf)
    missing = np.ones((leaves, features), dtype=np.bool_)
    open_nodes = [(0, low[0].copy(), high[0].copy(), missing[0].copy())]
    while open_nodes:
        node, a, b, m = open_nodes.pop()
        if node < 0:
            low[~node], high[~node], missing[~node] = a, b, m
            continue
        f, cut = int(tree.split_feature[node]), float(tree.threshold[node])
        # Where a split has no missing values, LightGBM takes NaN for 0.
        goes_left = bool(tree.missing_left[node]) if tree.missing_is_nan[node] else cut >= 0.0
        for child, left in ((int(tree.left[node]), True), (int(tree.right[node]), False)):
            low_, high_, missing_ = a.copy(), b.copy(), m.copy()
            if left:
                high_[f] = min(high_[f], cut)
            else:
                low_[f] = max(low_[f], cut)
            missing_[f] &= left == goes_left
            open_nodes.append((child, low_, high_, missing_))
    return LeafBoxes(low, high, missing)


def monotone_violations(forest: Forest, directions: tuple[int, ...]) -> list[tuple[int, str]]:
    """``(tree, feature)`` wherever a tree is not monotone as declared; an empty list is the proof."""
    violations = []
    for number, tree in enumerate(forest.trees):
        used = set(tree.split_feature.tolist())
        bound = [f for f in sorted(used) if directions[f]]
        if not bound:
            continue
        space = leaf_boxes(tree, len(forest.features))
        low, high, value = space.low, space.high, tree.leaf_value
        meet = np.maximum(low[:, None], low[None]) < np.minimum(high[:, None], high[None])  # (L, L, F)
        shared = meet | (space.missing[:, None] & space.missing[None])
        for f in bound:
            others = np.delete(shared, f, axis=2).all(axis=2)
            # Some point of the first leaf lies below some point of the second; an empty box has no points.
            below = (low[:, None, f] < high[None, :, f]) & (low[:, f] < high[:, f])[:, None]
            below &= (low[:, f] < high[:, f])[None, :] & ~np.eye(len(value), dtype=np.bool_)
            wrong = directions[f] * (value[None, :] - value[:, None]) < 0
            if bool(np.any(others & below & wrong)):
                violations.append((number, forest.features[f]))
    return violations
