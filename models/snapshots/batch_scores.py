"""Scores of one bucket: its active subjects, their features, and the answers of a version for each."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np

from credit.shelf import OpenedSeal
from models.features.buckets import MapBuckets
from models.features.duckdb_engine import Limits
from models.features.population import population_bucket
from models.order.order import Order
from models.scoring.scorer import Scorer
from models.scoring.snapshot_layout import answer_dtype
from models.snapshots.bucket_files import (
    BucketAnswers,
    bucket_answers_path,
    keys_of,
    read_bucket_answers,
    write_bucket_answers,
)


def score_buckets(
    order: Order,
    version: OpenedSeal,
    release: OpenedSeal,
    terms: Mapping[str, Any],
    as_of: date,
    *,
    folder: Path,
    map_buckets: MapBuckets,
    limits: Limits | None = None,
    skip: Collection[int] = (),
) -> int:
    """Write a file into ``folder`` for every bucket except ``skip``; files that exist stay. The number of subjects."""
    folders = (str(version.path), str(release.path), str(folder))
    task = partial(score_bucket, order.as_json(), folders, terms, as_of, limits or Limits())
    return sum(map_buckets(task, [bucket for bucket in range(terms["buckets"]) if bucket not in skip]))


def score_bucket(
    order_json: Mapping[str, Any],
    folders: tuple[str, str, str],
    terms: Mapping[str, Any],
    as_of: date,
    limits: Limits,
    bucket: int,
) -> int:
    """Score one bucket. A module-level function of plain values, so that a cluster with a shared folder can run it."""
    version, release, folder = folders
    path = bucket_answers_path(Path(folder), bucket)
    if path.exists():
        return len(read_bucket_answers(path).keys)
    population = population_bucket(order_json, release, terms, as_of, limits, bucket)
    scorer, features = _scorer(version), population.features
    scores = scorer.score(features)
    answers = np.zeros(len(features), dtype=answer_dtype(features.shape[1]))
    for name, column in (
        ("probability", scores.probability),
        ("points", scores.points),
        ("base_points", scores.base_points),
        ("contributions", scores.point_contributions),
        ("grade", scorer.card.grade_index(scores.points, scorer.card.rule_hits(features))),
    ):
        answers[name] = column
    write_bucket_answers(path, BucketAnswers(keys_of(population.subjects), features, answers))
    return len(features)


@lru_cache(maxsize=2)
def _scorer(folder: str) -> Scorer:
    return Scorer.load(Path(folder))
