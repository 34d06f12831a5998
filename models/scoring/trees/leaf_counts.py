"""The counts of rows in a model text, replaced by exact counts.

LightGBM's distributed learners estimate the rows of a leaf from sums of Hessians. Such estimates do not add up and
do not
bound how few rows a leaf has, so the rows are assigned to their leaves and counted, and the text gets these counts.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

_LINE = "{}=([^\n]*)\n"


def leaves_per_tree(text: str) -> list[int]:
    """The number of leaves of each tree."""
    return [int(number) for number in re.findall(r"^num_leaves=(\d+)$", text, re.M)]


def with_leaf_counts(text: str, counts: Sequence[NDArray[np.int64]]) -> str:
    """The text (as from :func:`~models.scoring.trees.model_text.without_settings`) with these counts, one array (L,)
    per tree."""
    sizes = [int(size) for size in _values_of(text, "tree_sizes")]
    start = text.index("\n\n") + 2
    head, blocks = text[:start], []
    for size, rows in zip(sizes, counts, strict=True):
        blocks.append(_block_with_counts(text[start : start + size], rows))
        start += size
    return _set_values(head, "tree_sizes", [len(block) for block in blocks]) + "".join(blocks) + text[start:]


def _block_with_counts(block: str, rows: NDArray[np.int64]) -> str:
    children = list(zip(*(map(int, _values_of(block, side)) for side in ("left_child", "right_child")), strict=True))
    inside = [0] * len(children)
    for split in reversed(range(len(children))):  # a child comes after its parent
        inside[split] = sum(inside[child] if child >= 0 else int(rows[~child]) for child in children[split])
    return _set_values(_set_values(block, "leaf_count", rows.tolist()), "internal_count", inside)


def _values_of(text: str, name: str) -> list[str]:
    match = re.search("\n" + _LINE.format(name), text)
    return match[1].split() if match else []


def _set_values(text: str, name: str, values: Sequence[int]) -> str:
    line = f"\n{name}={' '.join(map(str, values))}\n"
    return re.sub("\n" + _LINE.format(name), lambda _: line, text, count=1)
