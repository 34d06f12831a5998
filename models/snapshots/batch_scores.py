"""Answers of one bucket: its living subjects, their features, and what a version says of each.

Buckets are the unit of work and of resumption: each leaves one file, whole or not at all, in a folder that belongs to
one version, release and day; a run that was killed finds what is done there and goes on.
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
from models.features.population import living_bucket
from models.order.order import Order
from models.scoring.scorer import Scorer
from models.scoring.snapshot_layout import KEY_BYTES, SUBJECTS_FILE, answer_dtype, create_arrays

_NONE: Mapping[int, Any] = MappingProxyType({})


@dataclass(frozen=True, slots=True, eq=False)
class BucketAnswers:
    """n subjects of one bucket: keys (n, 16) bytes, features (n, F), answers (n,), rules that hit (n, R), groups."""

    keys: NDArray[np.uint8]
    features: NDArray[np.float64]
    answers: NDArray[Any]
    hits: NDArray[np.bool_]
    groups: Mapping[str, NDArray[np.str_]]


def answer_all(
    order: Order,
    version: OpenedSeal,
    release: OpenedSeal,
    terms: Mapping[str, Any],
    as_of: date,
    *,
    folder: Path,
    map_buckets: MapBuckets,
    limits: Limits | None = None,
    but: Collection[int] = (),
) -> int:
    """Leave a file of every bucket ``but`` some in ``folder``; what is there already stays. The number of subjects."""
    places = (str(version.path), str(release.path), str(folder))
    task = partial(answer_bucket, order.as_json(), places, terms, as_of, limits or Limits())
    return sum(map_buckets(task, [bucket for bucket in range(terms["buckets"]) if bucket not in but]))


def answer_bucket(
    order_json: Mapping[str, Any],
    places: tuple[str, str, str],
    terms: Mapping[str, Any],
    as_of: date,
    limits: Limits,
    bucket: int,
) -> int:
    """One bucket. A plain function of plain values, so that a cluster can run it on the folders it shares with us."""
    version, release, folder = places
    path = part_path(Path(folder), bucket)
    if path.exists():
        return len(read_part(path).keys)
    living = living_bucket(order_json, release, terms, as_of, limits, bucket)
    scorer, features = _scorer(version), living.features
    scores = scorer.score(features)
    answers = np.zeros(len(features), dtype=answer_dtype(features.shape[1]))
    for name, told in (
        ("probability", scores.probability),
        ("points", scores.points),
        ("base_points", scores.base_points),
        ("contributions", scores.point_contributions),
        ("grade", scorer.card.grade_index(scores.points, scorer.card.rule_hits(features))),
    ):
        answers[name] = told
    keys = np.frombuffer(b"".join(map(bytes.fromhex, living.subjects)), dtype=np.uint8).reshape(-1, KEY_BYTES)
    groups = {f"group_{name}": np.array(values, dtype=np.str_) for name, values in living.groups.items()}
    content = io.BytesIO()
    hits = scorer.card.rule_hits(features)
    np.savez(content, allow_pickle=False, keys=keys, features=features, answers=answers, hits=hits, **groups)
    write_atomically(path, content.getvalue())
    return len(keys)


def part_path(folder: Path, bucket: int) -> Path:
    """Where a bucket's answers are."""
    return folder / f"bucket-{bucket:03d}.npz"


def read_part(path: Path) -> BucketAnswers:
    """Read a bucket's answers; raises :class:`Broken` when they cannot be."""
    try:
        with np.load(path, allow_pickle=False) as told:
            groups = {name: told[f"group_{name}"] for name in GROUPS if f"group_{name}" in told}
            return BucketAnswers(told["keys"], told["features"], told["answers"], told["hits"], groups)
    except (OSError, ValueError, KeyError) as error:
        raise Broken(
            "batch-scores.answers-bucket-cannot-be-read", why=Text.verbatim(type(error).__name__), path_name=path.name
        ) from error


def parts(folder: Path, buckets: int, taken: Mapping[int, BucketAnswers] = _NONE) -> Iterator[BucketAnswers]:
    """The buckets one after another, some ``taken`` from elsewhere: all subjects in the order of their keys."""
    before = b""
    for bucket in range(buckets):
        part = taken[bucket] if bucket in taken else read_part(part_path(folder, bucket))
        for key in (part.keys[:1], part.keys[-1:]):
            if len(key) and (now := key.tobytes()) < before:
                raise Broken("batch-scores.buckets-release-not-in-order")
            before = now if len(key) else before
        yield part


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
