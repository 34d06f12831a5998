"""The files of a run over buckets, and the arrays of a seal that are joined of them.

A bucket is the unit of work and of resumption: each leaves one file, written atomically, in a folder that belongs to
one version, release and day. A run that was killed finds the finished buckets there and continues.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from credit.errors import Broken
from credit.files import write_atomically
from credit.messages import Text
from models.features.observations import GROUPS
from models.scoring.snapshot_layout import KEY_BYTES, SUBJECTS_FILE, create_arrays

_NONE: Mapping[int, Any] = MappingProxyType({})


@dataclass(frozen=True, slots=True, eq=False)
class BucketAnswers:
    """n subjects of one bucket: keys (n, 16) uint8, features (n, F), answers (n,), and groups (n,) where they are of
    use."""

    keys: NDArray[np.uint8]
    features: NDArray[np.float64]
    answers: NDArray[Any]
    groups: Mapping[str, NDArray[np.str_]] = field(default_factory=dict)


def keys_of(subjects: list[str]) -> NDArray[np.uint8]:
    """Pseudonyms (32 hex each) as keys (n, 16)."""
    return np.frombuffer(b"".join(map(bytes.fromhex, subjects)), dtype=np.uint8).reshape(-1, KEY_BYTES)


def bucket_answers_path(folder: Path, bucket: int) -> Path:
    """The file with the answers of a bucket."""
    return folder / f"bucket-{bucket:03d}.npz"


def write_bucket_answers(path: Path, made: BucketAnswers) -> None:
    """Write the answers of a bucket, whole or not at all."""
    content = io.BytesIO()
    groups = {f"group_{name}": values for name, values in made.groups.items()}
    np.savez(content, allow_pickle=False, keys=made.keys, features=made.features, answers=made.answers, **groups)
    write_atomically(path, content.getvalue())


def read_bucket_answers(path: Path) -> BucketAnswers:
    """Read the answers of a bucket; raises :class:`Broken` when they cannot be read."""
    try:
        with np.load(path, allow_pickle=False) as arrays:
            groups = {name: arrays[f"group_{name}"] for name in GROUPS if f"group_{name}" in arrays}
            return BucketAnswers(arrays["keys"], arrays["features"], arrays["answers"], groups)
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


def write_arrays(
    folder: Path, buckets: Iterator[BucketAnswers], subjects: int, features: int, records: np.dtype[Any]
) -> None:
    """Write the subject keys, features and answers (``records``) of a seal; one bucket at a time is in memory."""
    rows, answers = create_arrays(folder, subjects, features, records)
    start = 0
    with (folder / SUBJECTS_FILE).open("wb") as stream:
        for part in buckets:
            stream.write(part.keys.tobytes())
            end = start + len(part.keys)
            rows[start:end], answers[start:end] = part.features, part.answers
            start = end
    rows.flush()
    answers.flush()
