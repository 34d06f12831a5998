"""A first tree without a split, which a draw of few features can leave, told by the tree after it.

LightGBM then writes the overall log-odds as a tree of one leaf. No text of ours has such a tree: its value is added to
every leaf of the next, and the margins are the same but for rounding.
"""

from __future__ import annotations

import re

from models.scoring.trees.averaging import joined, trees_of

_LEAF = re.compile(r"^leaf_value=(.*)$", re.M)


def without_constants(text: str) -> str:
    """A text as :func:`~models.scoring.trees.model_text.plain` gives it, with a split somewhere, without trees of
    one leaf."""
    kept, constant = list[str](), 0.0
    for block in trees_of(text):
        found = _LEAF.search(block)
        values = [float(word) for word in found[1].split()] if found else []
        if len(values) == 1:
            constant += values[0]
            continue
        if constant:
            told = " ".join(repr(value + constant) for value in values)
            block, constant = _LEAF.sub(f"leaf_value={told}", block, count=1), 0.0
        kept.append(block)
    return joined(text, kept)
