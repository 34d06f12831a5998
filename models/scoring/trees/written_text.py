"""A model text written again from the trees that were read, so that nothing else travels in it.

Thresholds, leaf values and counts are given; values inside a tree follow from its leaves; gains keep three digits;
weights and the ranges of features, whose ends are values of single subjects, are left out.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.scoring.trees.averaging import split_trees
from models.scoring.trees.model_text import END, LARGEST, Forest, Tree

Floats = NDArray[np.float64]
_GAIN = re.compile(r"^split_gain=(.*)$", re.M)
_GAIN_DIGITS = 3


def rounded_leaves(tree: Tree, decimals: int) -> Tree:
    """The tree with its leaf values rounded."""
    return replace(tree, leaf_value=np.round(tree.leaf_value, decimals) + 0.0)


def written_text(forest: Forest, gains: Sequence[Sequence[float]], decimals: int) -> str:
    """The text of a forest of numerical splits whose leaf values have at most so many decimals.

    ``gains`` are those of the splits of each tree, as :func:`gains_of` reads them.
    """
    blocks = [
        f"Tree={number}\n{_block(tree, tree_gains, decimals)}\n\n\n"
        for number, (tree, tree_gains) in enumerate(zip(forest.trees, gains, strict=True))
    ]
    head = {
        "version": "v4",
        "num_class": 1,
        "num_tree_per_iteration": 1,
        "label_index": 0,
        "max_feature_idx": len(forest.features) - 1,
        "objective": "binary sigmoid:1",
        "feature_names": " ".join(forest.features),
        "monotone_constraints": _joined(forest.directions),
        "feature_infos": " ".join(f"[{_number(-LARGEST)}:{_number(LARGEST)}]" for _ in forest.features),
        "tree_sizes": _joined([len(block) for block in blocks]),
    }
    return "tree\n" + "\n".join(f"{name}={value}" for name, value in head.items()) + "\n\n" + "".join(blocks) + END


def gains_of(text: str) -> list[list[float]]:
    """The gains of the splits of every tree of a text that was read."""
    lines = [_GAIN.search(block) for block in split_trees(text)]
    return [[float(word) for word in line[1].split()] if line else [] for line in lines]


def totals_below(tree: Tree, of_leaves: NDArray[Any]) -> list[Any]:
    """The sum below each split of what each leaf (L,) has."""
    leaves, totals = of_leaves.tolist(), [0] * len(tree.split_feature)
    for split in reversed(range(len(totals))):  # a child comes after its parent
        for child in (int(tree.left[split]), int(tree.right[split])):
            totals[split] += totals[child] if child >= 0 else leaves[~child]
    return totals


def _block(tree: Tree, gains: Sequence[float], decimals: int) -> str:
    splits = len(tree.split_feature)
    inner = _inner_values(tree, decimals)
    lines = {
        "num_leaves": splits + 1,
        "num_cat": 0,
        "split_feature": _joined(tree.split_feature.tolist()),
        "split_gain": " ".join(_short_gain(gain) for gain in gains),
        "threshold": " ".join(_threshold(float(cut)) for cut in tree.threshold),
        "decision_type": _joined(tree.decision.tolist()),
        "left_child": _joined(tree.left.tolist()),
        "right_child": _joined(tree.right.tolist()),
        "leaf_value": " ".join(_decimal(value, decimals) for value in tree.leaf_value.tolist()),
        "leaf_weight": _joined([0] * (splits + 1)),
        "leaf_count": _joined(tree.leaf_count.tolist()),
        "internal_value": " ".join(_decimal(value, decimals) for value in inner),
        "internal_weight": _joined([0] * splits),
        "internal_count": _joined(tree.inside.tolist()),
        "is_linear": 0,
        "shrinkage": 1,
    }
    return "\n".join(f"{name}={value}" for name, value in lines.items())


def _inner_values(tree: Tree, decimals: int) -> list[float]:
    """The mean of the leaves below each split, weighted by their rows."""
    means = zip(totals_below(tree, tree.leaf_value * tree.leaf_count), tree.inside.tolist(), strict=True)
    return [round(total / rows, decimals) + 0.0 for total, rows in means]


def _joined(numbers: Sequence[int]) -> str:
    return " ".join(map(str, numbers))


def _decimal(value: float, decimals: int) -> str:
    return f"{value:.{decimals}f}".rstrip("0").rstrip(".")


def _short_gain(gain: float) -> str:
    return _number(float(f"{gain:.{_GAIN_DIGITS}g}"))


def _threshold(cut: float) -> str:
    return "inf" if cut == math.inf else _number(max(cut, -LARGEST))


def _number(value: float) -> str:
    text = repr(value)
    return text[:-2] if text.endswith(".0") else text
