"""Scores of one bucket: its active subjects, their features, and the answers of a version for each.

A bucket is the unit of work and of resumption: each leaves one file, written atomically, in a folder that belongs to
one
version, release and day. A run that was killed finds the finished buckets there and continues.
"""

from __future__ import annotations

import io
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache, partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from credit.errors import Broken
from credit.files import write_atomically
from credit.messages import Text
from credit.shelf import OpenedSeal
from models.features.buckets import MapBuckets
from models.features.duckdb_engine import Limits
from models.features.observations import GROUPS
from models.features.population import population_bucket
from models.order.order import Order
from models.scoring.scorer import Scorer
from models.scoring.snapshot_layout import KEY_BYTES, SUBJECTS_FILE, answer_dtype, create_arrays

_NONE: Mapping[int, Any] = MappingProxyType({})


@dataclass(frozen=True, slots=True, eq=False)
class BucketAnswers:
    """n subjects of one bucket: keys (n, 16) uint8, features (n, F), answers (n,), rule hits (n, R), and groups."""

    keys: NDArray[np.uint8]
    features: NDArray[np.float64]
    answers: NDArray[Any]
    hits: NDArray[np.bool_]
    groups: Mapping[str, NDArray[np.str_]]


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
    keys = np.frombuffer(b"".join(map(bytes.fromhex, population.subjects)), dtype=np.uint8).reshape(-1, KEY_BYTES)
    groups = {f"group_{name}": np.array(values, dtype=np.str_) for name, values in population.groups.items()}
    content = io.BytesIO()
    hits = scorer.card.rule_hits(features)
    np.savez(content, allow_pickle=False, keys=keys, features=features, answers=answers, hits=hits, **groups)
    write_atomically(path, content.getvalue())
    return len(keys)


def bucket_answers_path(folder: Path, bucket: int) -> Path:
    """The file with the answers of a bucket."""
    return folder / f"bucket-{bucket:03d}.npz"


def read_bucket_answers(path: Path) -> BucketAnswers:
    """Read the answers of a bucket; raises :class:`Broken` when they cannot be read."""
    try:
        with np.load(path, allow_pickle=False) as arrays:
            groups = {name: arrays[f"group_{name}"] for name in GROUPS if f"group_{name}" in arrays}
            return BucketAnswers(arrays["keys"], arrays["features"], arrays["answers"], arrays["hits"], groups)
    except (OSError, ValueError, KeyError) as error:
        raise Broken(
            "batch-scores.answers-bucket-cannot-be-read", why=Text.verbatim(type(error).__name__), path_name=path.name
        ) from error


def iterate_buckets(folder: Path, buckets: int, reused: Mapping[int, BucketAnswers] = _NONE) -> Iterator[BucketAnswers]:
    """The buckets one after another, some ``reused``: all subjects in the order of their keys, else :class:`Broken`."""
    previous_key = b""
    for bucket in range(buckets):
        answers = reused[bucket] if bucket in reused else read_bucket_answers(bucket_answers_path(folder, bucket))
        for key in (answers.keys[:1], answers.keys[-1:]):
            if len(key) and (current_key := key.tobytes()) < previous_key:
                raise Broken("batch-scores.buckets-release-not-in-order")
            previous_key = current_key if len(key) else previous_key
        yield answers


def write_arrays(folder: Path, buckets: Iterator[BucketAnswers], subjects: int, features: int) -> None:
    """Write the subject keys, features and answers of a snapshot; one bucket at a time is in memory."""
    rows, answers = create_arrays(folder, subjects, features)
    start = 0
    with (folder / SUBJECTS_FILE).open("wb") as stream:
        for part in buckets:
            stream.write(part.keys.tobytes())
            end = start + len(part.keys)
            rows[start:end], answers[start:end] = part.features, part.answers
            start = end
    rows.flush()
    answers.flush()


@lru_cache(maxsize=2)
def _scorer(folder: str) -> Scorer:
    return Scorer.load(Path(folder))
