"""Removal of trees without a split, which a random choice of few features can leave: their value moves to the next
tree.

LightGBM writes the overall log-odds as a tree of one leaf then. Our texts have no such tree: its value is added to
every
leaf of the next tree, and the margins stay the same except for rounding.
"""

from __future__ import annotations

import re

from models.scoring.trees.averaging import join_trees, split_trees

_LEAF = re.compile(r"^leaf_value=(.*)$", re.M)


def merge_constant_trees(text: str) -> str:
    """A text (as from :func:`~models.scoring.trees.model_text.without_settings`, with at least one split) without
    trees of one
    leaf.
    """
    kept, constant = list[str](), 0.0
    for block in split_trees(text):
        match = _LEAF.search(block)
        values = [float(word) for word in match[1].split()] if match else []
        if len(values) == 1:
            constant += values[0]
            continue
        if constant:
            shifted = " ".join(repr(value + constant) for value in values)
            block, constant = _LEAF.sub(f"leaf_value={shifted}", block, count=1), 0.0
        kept.append(block)
    return join_trees(text, kept)
