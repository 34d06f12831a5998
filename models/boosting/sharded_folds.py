"""Models of many rows: what a search may look at, and every row judged by a model that did not see its subject."""

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
    """The shards that so many rows are cut into: of the order and the sample alone, whatever the cluster."""
    return -(-rows // rows_a_worker)


def subsample_by_subject(subjects: Sequence[str], maximum: int) -> NDArray[np.bool_]:
    """Which rows (n,) a search looks at: about ``most``, all rows of a subject or none, drawn by its pseudonym."""
    if len(subjects) <= maximum:
        return np.ones(len(subjects), dtype=np.bool_)
    bound = int(maximum / len(subjects) * 16**8)
    # Not the digits that say its fold: each fold is thinned alike.
    drawn = {subject: int(digest(subject.encode())[8:16], 16) < bound for subject in set(subjects)}
    return np.array([drawn[subject] for subject in subjects], dtype=np.bool_)


def out_of_fold_margins_sharded(rows: TrainingRows, recipe: Recipe, worker_group: WorkerGroup) -> NDArray[np.float64]:
    """Margins (n,) as :func:`models.boosting.search.out_of_fold_margins` gives them, one fold after another, each by
    the
    whole gang."""
    margins = np.full(len(rows.labels), np.nan)
    for fold in rows.folds:
        in_fold = rows.fold == fold
        booster = train_booster(
            rows.features[~in_fold], rows.labels[~in_fold], rows.names, rows.directions, recipe, worker_group
        )
        margins[in_fold] = predict_margins(booster, rows.features[in_fold])
    return margins
