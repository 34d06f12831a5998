"""Several boosters as one model text: all their trees, every value divided by the number of boosters.

The sum of the trees of k boosters, each over k, is the mean of their margins; so an average is a model text like any
other, and scorer, exports and reasons need no special case (bagging, Breiman 1996, "Bagging predictors", section 2).
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from models.scoring.trees.model_text import END

_VALUES = re.compile(r"^(leaf_value|internal_value)=(.*)$", re.M)
_SIZES = re.compile(r"^tree_sizes=.*$", re.M)
_BLOCK = re.compile(r"^Tree=\d+\n", re.M)


def average_texts(texts: Sequence[str]) -> str:
    """One text for the average of texts of the same features, as from
    :func:`~models.scoring.trees.model_text.without_settings`.

    Its margins are the mean of theirs except for rounding: one ulp per value, and the order of one long sum.
    """
    if len(texts) == 1:
        return texts[0]
    return join_trees(texts[0], [_scaled(block, len(texts)) for text in texts for block in split_trees(text)])


def join_trees(text: str, blocks: Sequence[str]) -> str:
    """The header of a text followed by these trees, renumbered."""
    numbered = [f"Tree={number}\n{block}" for number, block in enumerate(blocks)]
    head = text[: text.index("\n\n") + 2]
    return (
        _SIZES.sub(f"tree_sizes={' '.join(str(len(block)) for block in numbered)}", head, count=1)
        + "".join(numbered)
        + END
    )


def split_trees(text: str) -> list[str]:
    """The trees of a text, each without its line "Tree=…"."""
    return _BLOCK.split(text[text.index("\n\n") + 2 : -len(END)])[1:]


def _scaled(block: str, parts: int) -> str:
    def line(match: re.Match[str]) -> str:
        return f"{match[1]}={' '.join(repr(float(word) / parts) for word in match[2].split())}"

    return _VALUES.sub(line, block)
