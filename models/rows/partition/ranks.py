"""Columns as mid-ranks: amounts, counts and categories on one scale, on which outliers weigh no more than others."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.rows.partition.columns import Column, is_text, missing_in


def mid_ranks(column: Column) -> NDArray[np.float64]:
    """Mid-ranks (n,) divided by n, in (0, 1]: equal values share the mean of their ranks.

    A missing value is a value of its own below all others; texts are ranked in the order of their code points.
    """
    missing = missing_in(column)
    if is_text(column):
        texts = np.where(missing, "", column).astype(np.str_)
        numbers = np.unique(texts, return_inverse=True)[1].astype(np.float64)
    else:
        numbers = np.asarray(column, dtype=np.float64)
    below_all = np.where(missing, -np.inf, numbers)
    _, place, counts = np.unique(below_all, return_inverse=True, return_counts=True)
    ranks = np.cumsum(counts) - (counts - 1) / 2.0
    return np.asarray(ranks[place] / max(1, len(below_all)), dtype=np.float64)


def weighted_ranks(columns: list[Column], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """The points (n, C) that a partition is made of: the mid-ranks of each column times its weight (C,)."""
    return np.stack([mid_ranks(column) * weight for column, weight in zip(columns, weights, strict=True)], axis=1)
