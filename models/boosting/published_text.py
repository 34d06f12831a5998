"""The text of a model as it is sealed: thresholds are cuts, leaf values have the declared decimals, counts are ours."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from models.dataset.matrix import TrainingRows
from models.privacy.cuts import CutGrid
from models.privacy.leaf_recount import recount_leaves
from models.scoring.trees.model_text import Forest, Tree, read
from models.scoring.trees.written_text import gains_of, rounded_leaves, totals_below, written_text


def published_text(text: str, rows: TrainingRows, grid: CutGrid, decimals: int) -> str:
    """The text to seal, of a text trained on coarsened ``rows``. No training row changes its leaf."""
    forest = read(text, rows.names)
    trees = tuple(rounded_leaves(_with_borders(tree, grid), decimals) for tree in forest.trees)
    cut = replace(forest, trees=trees)
    counted = recount_leaves(cut, rows.features, rows.labels, rows.units)
    trees = tuple(_with_counts(tree, rows) for tree, rows in zip(trees, counted.rows, strict=True))
    return written_text(replace(forest, trees=trees), gains_of(text), decimals)


def is_as_published(text: str, forest: Forest, decimals: int) -> bool:
    """True when a text is what we would have written for its own trees: no digit, line or order of its own."""
    trees = tuple(rounded_leaves(tree, decimals) for tree in forest.trees)
    return written_text(replace(forest, trees=trees), gains_of(text), decimals) == text


def _with_borders(tree: Tree, grid: CutGrid) -> Tree:
    pairs = zip(tree.split_feature.tolist(), tree.threshold.tolist(), strict=True)
    return replace(tree, threshold=np.array([grid.border(feature, cut) for feature, cut in pairs]))


def _with_counts(tree: Tree, rows: np.typing.NDArray[np.int64]) -> Tree:
    return replace(tree, leaf_count=rows, inside=np.array(totals_below(tree, rows), dtype=np.int64))
