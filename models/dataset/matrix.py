"""The rows that a model learns from, as arrays: what every task of a search, a fold or a benchmark reads."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class TrainingRows:
    """Features (n, F) float64, 0/1 labels and folds (n,), feature names and directions (F,)."""

    features: Floats
    labels: NDArray[np.int8]
    fold: NDArray[np.int16]
    names: tuple[str, ...]
    directions: tuple[int, ...]
    subjects: NDArray[np.int64] = field(
        default_factory=lambda: np.zeros(0, dtype=np.int64)
    )  # numbers; empty: every row is one

    @property
    def folds(self) -> list[int]:
        """The numbers of the folds, ascending."""
        return [int(fold) for fold in np.unique(self.fold)]

    @property
    def units(self) -> NDArray[np.int64]:
        """The number of the subject of each row (n,); every row is a subject of its own where none are given."""
        return self.subjects if len(self.subjects) else np.arange(len(self.labels), dtype=np.int64)

    def select(self, keep: NDArray[np.bool_]) -> TrainingRows:
        """The rows where ``keep`` (n,) is true."""
        if keep.all():
            return self
        units = self.subjects[keep] if len(self.subjects) else self.subjects
        features, labels, fold = self.features[keep], self.labels[keep], self.fold[keep]
        return replace(self, features=features, labels=labels, fold=fold, subjects=units)
