"""Models of many rows: the sample that a search uses, and out-of-fold margins from models that several workers
train."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from credit.canonical import digest
from models.boosting.booster import predict_margins, train_booster
from models.boosting.recipe import Recipe
from models.distributed.worker_group import WorkerGroup

if TYPE_CHECKING:
    from models.dataset.matrix import TrainingRows


def shard_count(rows: int, rows_a_worker: int) -> int:
    """The number of shards for ``rows`` rows. It depends on the order and the sample alone, not on the cluster."""
    return -(-rows // rows_a_worker)


def subsample_by_subject(subjects: Sequence[str], maximum: int) -> NDArray[np.bool_]:
    """A mask (n,) of about ``maximum`` rows: all rows of a subject or none, drawn by the subject's pseudonym."""
    if len(subjects) <= maximum:
        return np.ones(len(subjects), dtype=np.bool_)
    bound = int(maximum / len(subjects) * 16**8)
    # Not the digits that give the fold, so that each fold is sampled at the same rate.
    drawn = {subject: int(digest(subject.encode())[8:16], 16) < bound for subject in set(subjects)}
    return np.array([drawn[subject] for subject in subjects], dtype=np.bool_)


def out_of_fold_margins_sharded(rows: TrainingRows, recipe: Recipe, worker_group: WorkerGroup) -> NDArray[np.float64]:
    """Margins (n,) as :func:`models.boosting.search.out_of_fold_margins` gives them, one fold after another, each
    trained by
    the whole worker group.
    """
    margins = np.full(len(rows.labels), np.nan)
    for fold in rows.folds:
        in_fold = rows.fold == fold
        booster = train_booster(
            rows.features[~in_fold], rows.labels[~in_fold], rows.names, rows.directions, recipe, worker_group
        )
        margins[in_fold] = predict_margins(booster, rows.features[in_fold])
    return margins
