"""A copy of a version's trees (模型副本), written by us: fewer digits, the names in order, counts as compute made them.

The features that no tree uses are left out and the others sorted, gains and directions are left out, counts are those
of subjects, rounded. A line names the version, which LightGBM passes over and our own reader of versions refuses: a
copy can be read outside, and never serves here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from lab.airlock.thresholds import Thresholds
from models.scoring.trees.model_text import Forest, Tree, read
from models.scoring.trees.written_text import rounded_leaves, totals_below, written_text

COPY_OF = "copy_of"
_START = "tree\n"


def copied_forest(text: str, names: Sequence[str], subjects: Sequence[Sequence[int]], t: Thresholds) -> Forest:
    """The trees of a sealed text as they leave; raises :class:`~credit.errors.Malformed` for a text that is not ours.

    ``subjects`` are counted by tree and leaf; raises :class:`ValueError` when they do not fit the trees.
    """
    forest = read(text, tuple(names))
    used = sorted({forest.features[split] for tree in forest.trees for split in tree.split_feature.tolist()})
    place = np.array([used.index(name) if name in used else -1 for name in forest.features], dtype=np.int64)
    trees = tuple(
        _copied(tree, place, np.array(counts, dtype=np.int64), t)
        for tree, counts in zip(forest.trees, subjects, strict=True)
    )
    return Forest(tuple(used), (0,) * len(used), trees)


def copy_text(forest: Forest, version: str, t: Thresholds) -> str:
    """The text of a copy, with the id of its version in its second line."""
    gains = [[0.0] * len(tree.split_feature) for tree in forest.trees]
    text = written_text(forest, gains, t["model_leaf_decimals"])
    return f"{_START}{COPY_OF}={version}\n{text.removeprefix(_START)}"


def _copied(tree: Tree, place: NDArray[np.int64], subjects: NDArray[np.int64], t: Thresholds) -> Tree:
    if len(subjects) != len(tree.leaf_value):
        raise ValueError("counts do not fit the leaves")
    base = t["rounding_base"]
    counts = np.maximum(np.rint(subjects / base).astype(np.int64), 1) * base
    cuts = np.array([_significant(cut, t["model_threshold_digits"]) for cut in tree.threshold.tolist()])
    made = replace(
        rounded_leaves(tree, t["model_leaf_decimals"]),
        split_feature=place[tree.split_feature],
        threshold=cuts,
        leaf_count=counts,
    )
    return replace(made, inside=np.array(totals_below(made, counts), dtype=np.int64))


def _significant(cut: float, digits: int) -> float:
    """A cut with so many significant digits; one that separates known from missing values stays."""
    return cut if np.isinf(cut) else float(f"{cut:.{digits}g}")
