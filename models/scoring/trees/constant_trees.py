"""A first tree without a split, which a draw of few features can leave, told by the tree after it.

LightGBM then writes the overall log-odds as a tree of one leaf. No text of ours has such a tree: its value is added to
every leaf of the next, and the margins are the same but for rounding.
"""

from __future__ import annotations

import re

from models.scoring.trees.averaging import join_trees, split_trees

_LEAF = re.compile(r"^leaf_value=(.*)$", re.M)


def merge_constant_trees(text: str) -> str:
    """A text as :func:`~models.scoring.trees.model_text.without_settings` gives it, with a split somewhere, without
    trees of
    one leaf."""
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
