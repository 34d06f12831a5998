"""A table of the benchmark: rows, labels, subjects, and splits that are the same everywhere."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Index = NDArray[np.int64]
SEED, FOLDS = 7, 5


def data() -> Path:
    """The folder of real tables (``HAIHE_REAL_DATA``)."""
    return Path(os.environ.get("HAIHE_REAL_DATA", "../shared/data"))


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """n rows of F features (n, F), NaN where missing; 0/1 labels (n,), 1 = bad; the subject and the day of each row.

    ``directions`` (F,) are declared from what a field means, never from the labels: 0 unless its order is beyond doubt.
    """

    name: str
    source: str
    features: Floats
    labels: NDArray[np.int8]
    subjects: NDArray[np.str_]
    names: tuple[str, ...]
    directions: tuple[int, ...]
    days: NDArray[np.datetime64] | None = None
    border: str | None = None  # rows from this day on are the test
    parts: int = FOLDS
    repetitions: int = 1

    def splits(self) -> list[tuple[Index, Index]]:
        """Training and test rows of each split: before and after the border, or repeated stratified folds."""
        if self.days is not None and self.border is not None:
            late = self.days >= np.datetime64(self.border, "D")
            return [(np.flatnonzero(~late), np.flatnonzero(late))]
        split_rows = []
        for repeat in range(self.repetitions):
            fold = folds(self.labels, self.subjects, SEED + repeat, self.parts)
            split_rows += [(np.flatnonzero(fold != k), np.flatnonzero(fold == k)) for k in range(self.parts)]
        return split_rows


def folds(labels: NDArray[Any], subjects: NDArray[np.str_], seed: int, parts: int = FOLDS) -> NDArray[np.int16]:
    """Folds (n,) with the whole's share of bad rows; a subject's rows are all in one.

    A subject counts as bad when any of its rows is.
    """
    _, place = np.unique(subjects, return_inverse=True)
    bad = np.zeros(int(place.max()) + 1, dtype=np.int8)
    np.maximum.at(bad, place, np.asarray(labels, dtype=np.int8))
    random, fold = np.random.default_rng(seed), np.empty(len(bad), dtype=np.int16)
    for label in (0, 1):
        here = np.flatnonzero(bad == label)
        fold[random.permutation(here)] = np.arange(len(here)) % parts
    return np.asarray(fold[place], dtype=np.int16)


def without_twins(features: Floats, labels: NDArray[Any]) -> tuple[Floats, NDArray[np.int8]]:
    """Of rows that are equal in every feature the first is kept, so that no two of them fall into different folds."""
    _, first = np.unique(np.nan_to_num(features, nan=-1e99), axis=0, return_index=True)
    keep = np.sort(first)
    return features[keep], np.asarray(labels)[keep].astype(np.int8)
