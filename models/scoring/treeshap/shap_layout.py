"""The layout of a forest for TreeSHAP: one record of eight 64-bit words per split, level by level.

The record of a split is one cache line, and a child comes long after its parent, so that a processor works on several
splits at once. The value of a subtree is stored relative to its rightmost leaf: contributions depend only on the
difference of two subtrees, so leaves need no record.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.scoring.trees.flat_forest import ABOVE, FEATURE, LEFT, RIGHT, FlatForest, unpack
from models.scoring.trees.numba_compile import compiled

Floats = NDArray[np.float64]
WORDS = np.uint64(8)  # of a record, in this order; SIDE is 1.0 where the split lies left of the one above, else -1.0
CHILDREN_WORD, PARENT_WORD, THRESHOLD, LEFT_SHARE, RIGHT_SHARE, DIFFERENCE, OWN_SHARE, SIDE = (
    np.uint64(place) for place in range(8)
)
BELOW_LEFT, BELOW_RIGHT, SLOT, FEATURE_BITS = (
    np.uint64(16 * place) for place in range(4)
)  # their bit offsets in CHILDREN_WORD
PARENT, PARENT_SLOT, DECISION, ORIGIN = (np.uint64(16 * place) for place in range(4))  # and in PARENT_WORD
MAXIMUM_LEAF_BITS = 64  # leaves of a tree that fit in a word; for a larger tree ``left`` is unused
REPEATED_WORDS = np.uint64(3)  # words of a repeated edge: the split and the slot above, the share of rows, the side


class ShapLayout(NamedTuple):
    """T trees, N splits and A repeated edges (below which their feature occurs again): edge k of a tree has slot k +
    1."""

    start: NDArray[np.uint64]  # (T + 1,)
    split: NDArray[np.uint64]  # (8N,) integers, and doubles by their bits
    repeated_start: NDArray[np.uint64]  # (T + 1,)
    repeated: NDArray[np.uint64]  # (3A,)
    longest_path: NDArray[np.uint64]  # (T,) the most features on a path
    left: NDArray[
        np.uint64
    ]  # (N,) the leaves left of each split, as bits, the leftmost leaf first; see ``MAXIMUM_LEAF_BITS``
    value: Floats  # (N + T,) of the leaves, from left to right


def layout_for_shap(trees: FlatForest) -> ShapLayout:
    """The forest in this layout."""
    splits = int(trees.start[-1])
    leaves = (trees.start + np.arange(len(trees.start), dtype=np.uint64)).astype(np.int64)
    longest_path = np.maximum.reduceat(trees.path_features, leaves[:-1]).astype(np.uint64)
    repeated = np.zeros(int(REPEATED_WORDS) * len(trees.repeated), dtype=np.uint64)
    split, left, value = _aligned(int(WORDS) * splits), np.zeros(splits, dtype=np.uint64), np.empty(len(trees.value))
    layout = ShapLayout(trees.start, split, trees.repeated_start, repeated, longest_path, left, value)
    _fill_layout(trees, layout, layout.split.view(np.float64), layout.repeated.view(np.float64))
    return layout


def _aligned(count: int) -> NDArray[np.uint64]:
    """``count`` words, all 0, starting at a cache line."""
    words = np.zeros(count + 8, dtype=np.uint64)
    start = int(-words.ctypes.data % 64) // 8
    return words[start : start + count]


@compiled
def _fill_layout(trees: Any, layout: Any, numbers: Any, repeated_numbers: Any) -> None:
    for tree in range(len(trees.start) - 1):
        first, leaf = trees.start[tree], trees.start[tree] + np.uint64(tree)
        splits = np.intp(trees.start[tree + 1] - first)
        none = 2 * splits  # no edge
        depth = np.zeros(2 * splits + 1, dtype=np.int64)
        for s in range(splits):
            for side in range(2):
                child = np.intp(unpack(trees.split[first + s], RIGHT if side else LEFT))
                depth[child] = depth[s] + 1
        place = np.full(2 * splits + 1, splits)  # all leaves share one place, where nothing is written
        put, level = 0, 0
        while put < splits:  # a counting sort by hand, as compiling numpy's takes a second
            for s in range(splits):
                if depth[s] == level:
                    place[s] = put
                    put += 1
            level += 1
        slot = np.zeros(2 * splits + 1, dtype=np.int64)  # of each edge below which its feature occurs again
        low = np.intp(layout.repeated_start[tree])
        for k in range(np.intp(layout.repeated_start[tree + 1]) - low):
            slot[trees.repeated[low + k]] = k + 1
        for k in range(np.intp(layout.repeated_start[tree + 1]) - low):
            edge = np.intp(trees.repeated[low + k])
            above = slot[np.intp(unpack(trees.split[first + (edge >> 1)], ABOVE))]
            layout.repeated[3 * (low + k)] = np.uint64(place[edge >> 1]) | np.uint64(above) << np.uint64(16)
            repeated_numbers[3 * (low + k) + 1] = trees.share[2 * first + edge]
            repeated_numbers[3 * (low + k) + 2] = -1.0 if edge & 1 else 1.0
        farthest = np.empty(2 * splits + 1)  # the value of the rightmost leaf below each node
        for at in range(splits + 1):
            farthest[splits + at] = trees.value[leaf + at]
        _number_leaves(trees, layout, first, leaf, splits, place)
        for s in range(splits - 1, -1, -1):
            i, n = first + s, 8 * (np.intp(first) + place[s])
            split = trees.split[i]
            left, right = np.intp(unpack(split, LEFT)), np.intp(unpack(split, RIGHT))
            above = np.intp(unpack(split, ABOVE))
            before = 1.0 if above == none else trees.share[2 * first + above]
            farthest[s] = farthest[right]
            layout.split[n + CHILDREN_WORD] = (
                np.uint64(place[left])
                | np.uint64(place[right]) << BELOW_RIGHT
                | np.uint64(slot[above]) << SLOT
                | unpack(split, FEATURE) << FEATURE_BITS
            )
            layout.split[n + PARENT_WORD] |= np.uint64(trees.decision[i]) << DECISION | np.uint64(s) << ORIGIN
            numbers[n + THRESHOLD] = trees.threshold[i]
            numbers[n + DIFFERENCE] = farthest[left] - farthest[right]
            for side in range(2):
                share, child = trees.share[2 * i + side] / before, right if side else left
                numbers[n + LEFT_SHARE + side] = share
                if child < splits:
                    below = 8 * (np.intp(first) + place[child])
                    layout.split[below + PARENT_WORD] |= np.uint64(place[s]) | np.uint64(slot[above]) << PARENT_SLOT
                    numbers[below + OWN_SHARE], numbers[below + SIDE] = share, -1.0 if side else 1.0


@compiled
def _number_leaves(trees: Any, layout: Any, first: Any, leaf: Any, splits: Any, place: Any) -> None:
    """Number a tree's leaves from left to right: their values, and which of them lie left of each split."""
    leaves = np.ones(2 * splits + 1, dtype=np.int64)  # below each node
    lowest = np.zeros(2 * splits + 1, dtype=np.int64)
    for s in range(splits - 1, -1, -1):
        split = trees.split[first + s]
        leaves[s] = leaves[np.intp(unpack(split, LEFT))] + leaves[np.intp(unpack(split, RIGHT))]
    for s in range(splits):
        split = trees.split[first + s]
        left, right = np.intp(unpack(split, LEFT)), np.intp(unpack(split, RIGHT))
        lowest[left], lowest[right] = lowest[s], lowest[s] + leaves[left]
        if splits < MAXIMUM_LEAF_BITS:
            bits = (np.uint64(1) << np.uint64(leaves[left])) - np.uint64(1)
            layout.left[np.intp(first) + place[s]] = bits << np.uint64(lowest[s])
    for at in range(splits + 1):
        layout.value[np.intp(leaf) + lowest[splits + at]] = trees.value[leaf + at]
