"""The rows that a model is trained on: the in-time rows of a sample, their features coarsened to the cells of its cuts.

The cuts follow from the sample alone, so that the promotion gate makes the same ones from the same release.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from models.dataset.matrix import TrainingRows
from models.privacy.cuts import CutGrid
from models.privacy.floors import load_floors

if TYPE_CHECKING:
    from models.dataset.sample import Sample


def in_time_rows(sample: Sample, directions: Sequence[int]) -> TrainingRows:
    """The in-time rows of a sample as they are."""
    keep = ~np.asarray(sample.out_of_time, dtype=np.bool_)
    _, units = np.unique(np.asarray(sample.subjects)[keep], return_inverse=True)
    return TrainingRows(
        np.asarray(sample.features, dtype=np.float64)[keep],
        np.asarray(sample.labels)[keep],
        np.asarray(sample.fold)[keep],
        tuple(sample.names),
        tuple(directions),
        units.astype(np.int64),
    )


def cut_rows(rows: TrainingRows) -> tuple[TrainingRows, CutGrid]:
    """Rows with one value a cell, and the cuts."""
    grid = CutGrid.of(rows.features, rows.units, load_floors().cut_subjects)
    return replace(rows, features=grid.coarsened(rows.features)), grid
