"""What a group shows of a column: the mean of its numbers, or its most frequent text; missing where most are."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.features.views import rounded
from models.rows.partition.columns import Column, is_text, missing_in


def group_values(column: Column, groups: NDArray[np.int64]) -> Column:
    """The value (n,) of each row's group, the same for all its rows; ``groups`` (n,) are numbered from 0.

    A text that is as frequent as another one is the first of them in the order of code points.
    """
    count = int(groups.max()) + 1 if len(groups) else 0
    missing = missing_in(column)
    members = np.bincount(groups, minlength=count)
    unknown = np.bincount(groups, weights=missing, minlength=count) * 2 > members
    if is_text(column):
        return _most_frequent(column, groups, missing, unknown)
    sums = np.bincount(groups, weights=np.where(missing, 0.0, np.asarray(column, dtype=np.float64)), minlength=count)
    known = members - np.bincount(groups, weights=missing, minlength=count)
    means = sums / np.maximum(known, 1)
    means[unknown | (known == 0)] = np.nan
    return np.asarray(rounded(means)[groups])


def _most_frequent(
    column: Column, groups: NDArray[np.int64], missing: NDArray[np.bool_], unknown: NDArray[np.bool_]
) -> Column:
    texts, codes = np.unique(np.where(missing, "", column).astype(np.str_), return_inverse=True)
    counted = np.zeros((len(unknown), len(texts)), dtype=np.int64)
    np.add.at(counted, (groups[~missing], codes[~missing]), 1)
    shown = np.array([str(text) for text in texts], dtype=np.object_)[counted.argmax(axis=1)]
    shown[unknown | (counted.sum(axis=1) == 0)] = None
    return np.asarray(shown[groups])
