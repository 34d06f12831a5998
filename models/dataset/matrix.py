"""The rows that a model learns from, as arrays: what every task of a search, a fold or a benchmark reads."""

from __future__ import annotations

from dataclasses import dataclass

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

    @property
    def folds(self) -> list[int]:
        """The numbers of the folds, ascending."""
        return [int(fold) for fold in np.unique(self.fold)]
