"""Several boosters as one text: all their trees, every value divided by how many there are.

A sum of the trees of k boosters, each over k, is the mean of their margins; so an average is a model text like any
other, and scorer, validator, exports and reasons need not know (bagging, Breiman 1996, "Bagging predictors", §2).
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from models.scoring.trees.model_text import END

_VALUES = re.compile(r"^(leaf_value|internal_value)=(.*)$", re.M)
_SIZES = re.compile(r"^tree_sizes=.*$", re.M)
_BLOCK = re.compile(r"^Tree=\d+\n", re.M)


def average_texts(texts: Sequence[str]) -> str:
    """One text of texts as :func:`~models.scoring.trees.model_text.without_settings` gives them, of the same
    features; of one,
    itself.

    Its margins are the mean of theirs but for rounding: an ulp of a value a tree, and the order of one long sum.
    """
    if len(texts) == 1:
        return texts[0]
    return join_trees(texts[0], [_scaled(block, len(texts)) for text in texts for block in split_trees(text)])


def join_trees(text: str, blocks: Sequence[str]) -> str:
    """The header of a text over these trees, numbered anew."""
    numbered = [f"Tree={number}\n{block}" for number, block in enumerate(blocks)]
    head = text[: text.index("\n\n") + 2]
    return (
        _SIZES.sub(f"tree_sizes={' '.join(str(len(block)) for block in numbered)}", head, count=1)
        + "".join(numbered)
        + END
    )


def split_trees(text: str) -> list[str]:
    """The trees of a text, each without the line of its number."""
    return _BLOCK.split(text[text.index("\n\n") + 2 : -len(END)])[1:]


def _scaled(block: str, parts: int) -> str:
    def line(match: re.Match[str]) -> str:
        return f"{match[1]}={' '.join(repr(float(word) / parts) for word in match[2].split())}"

    return _VALUES.sub(line, block)
