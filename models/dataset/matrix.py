"""The rows that a model learns from, as arrays: what every task of a search, a fold or a benchmark reads."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class TrainingRows:
    """What a fold's task reads: features (n, F), 0/1 labels and folds (n,), names and directions (F)."""

    features: Floats
    labels: NDArray[np.int8]
    fold: NDArray[np.int16]
    names: tuple[str, ...]
    directions: tuple[int, ...]

    @property
    def folds(self) -> list[int]:
        """The folds there are."""
        return [int(fold) for fold in np.unique(self.fold)]
