"""Leaves counted again (叶节点重计): the subjects in every leaf of every tree, on the rows it was trained on.

The counts in a model's text are claims, and count rows. These are counted from the rows, and count subjects; they stand
in the version, and the gates go by them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.scoring.trees import walk
from models.scoring.trees.flat_forest import flatten
from models.scoring.trees.model_text import Forest

Counts = tuple[NDArray[np.int64], ...]
TREES_AT_ONCE = 64


@dataclass(frozen=True, slots=True, eq=False)
class LeafRecount:
    """For each tree, by leaf (L,): the rows, the subjects, and the subjects with a defaulted row in that leaf."""

    rows: Counts
    subjects: Counts
    defaulted: Counts

    @property
    def smallest(self) -> int:
        """The subjects of the smallest leaf."""
        return int(min(tree.min() for tree in self.subjects))

    def agrees_with(self, forest: Forest) -> bool:
        """True when the counts of rows in the text are those that were counted."""
        pairs = zip(self.rows, forest.trees, strict=True)
        return all(np.array_equal(counted, tree.leaf_count) for counted, tree in pairs)

    def summary(self) -> dict[str, int]:
        """``leaves``, the ``smallest`` leaf in subjects, and the leaves in which ``all_defaulted``."""
        pairs = list(zip(self.subjects, self.defaulted, strict=True))
        pure = sum(int(np.sum((subjects > 0) & (defaulted == subjects))) for subjects, defaulted in pairs)
        leaves = sum(len(subjects) for subjects, _ in pairs)
        return {"leaves": leaves, "smallest": self.smallest, "all_defaulted": pure}

    def as_json(self) -> Mapping[str, Any]:
        """The counts by tree and leaf."""
        return {
            "subjects": [each.tolist() for each in self.subjects],
            "defaulted": [d.tolist() for d in self.defaulted],
        }


def recount_leaves(
    forest: Forest, features: NDArray[np.float64], labels: NDArray[Any], subjects: NDArray[np.int64]
) -> LeafRecount:
    """Count the leaves of a forest on rows (n, F) with 0/1 labels (n,) of ``subjects`` (n,), numbered from 0."""
    _, units = np.unique(subjects, return_inverse=True)
    bad = np.asarray(labels) == 1
    rows, everyone, defaulted = [], [], []
    for leaf_of_row, leaves in _leaves_of_rows(forest, features):
        rows.append(np.bincount(leaf_of_row, minlength=leaves).astype(np.int64))
        everyone.append(_distinct(leaf_of_row, units, leaves))
        defaulted.append(_distinct(leaf_of_row[bad], units[bad], leaves))
    return LeafRecount(tuple(rows), tuple(everyone), tuple(defaulted))


def _leaves_of_rows(forest: Forest, features: NDArray[np.float64]) -> Iterator[tuple[NDArray[np.int64], int]]:
    for first in range(0, len(forest.trees), TREES_AT_ONCE):
        part = replace(forest, trees=forest.trees[first : first + TREES_AT_ONCE])
        leaves = walk.leaves(flatten(part), features)
        yield from zip(leaves.T, (len(tree.leaf_value) for tree in part.trees), strict=True)


def _distinct(leaf_of_row: NDArray[np.int64], units: NDArray[np.int64], leaves: int) -> NDArray[np.int64]:
    seen = np.zeros((leaves, int(units.max(initial=-1)) + 1), dtype=np.bool_)
    seen[leaf_of_row, units] = True
    return np.asarray(seen.sum(axis=1), dtype=np.int64)
