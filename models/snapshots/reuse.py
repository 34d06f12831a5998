"""The buckets of a snapshot that the next one can reuse: those whose inputs have not changed.

The answers of a bucket depend on the version, the day and the bucket's files alone; where the seals of two releases
name
the same digests, the answers are the same to the bit. The result is the same seal as without reuse.
"""

from __future__ import annotations

import mmap
from collections.abc import Collection, Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from credit.seal import Seal
from credit.shelf import OpenedSeal, Shelf
from models.features.views import bucket_file
from models.scoring.snapshot_layout import (
    DOSSIERS_FILE,
    KEY_BYTES,
    SUBJECTS_FILE,
    map_answers,
    map_features,
    read_keys,
    read_offsets,
)
from models.snapshots.bucket_files import BucketAnswers


def unchanged_buckets(before: Seal, after: Seal, tables: Collection[str]) -> set[int]:
    """The buckets for which two releases have the same bytes and the same description of every one of these tables."""
    then, now = before.terms, after.terms
    if then["buckets"] != now["buckets"] or any(_description(then, name) != _description(now, name) for name in tables):
        return set()
    names = {bucket: [str(bucket_file(Path(), t, bucket)) for t in tables] for bucket in range(now["buckets"])}
    return {bucket for bucket, files in names.items() if all(before.files.get(f) == after.files.get(f) for f in files)}


def reusable_buckets(
    previous: OpenedSeal, *, version: str, release: OpenedSeal, tables: Collection[str], as_of: date, shelf: Shelf
) -> dict[int, BucketAnswers]:
    """The buckets of the snapshot ``previous`` that are valid for this version, release and day; it reads ``tables``.

    Raises :class:`~credit.errors.Missing` when its release is no longer on the shelf.
    """
    previous_terms = previous.seal.terms
    if (previous_terms["version"], previous_terms["as_of"]) != (version, as_of.isoformat()):
        return {}
    same = unchanged_buckets(shelf.open(previous_terms["release"], deep=False).seal, release.seal, tables)
    keys, features, answers = read_keys(previous.path), map_features(previous.path), map_answers(previous.path)
    width = 256 // release.seal.terms["buckets"]
    reusable = {}
    for bucket in same:
        start, end = map(int, np.searchsorted(keys[:, 0], [bucket * width, (bucket + 1) * width]))
        reusable[bucket] = BucketAnswers(keys[start:end], features[start:end], answers[start:end])
    return reusable


def reusable_dossiers(
    previous: OpenedSeal, release: OpenedSeal, shelf: Shelf
) -> dict[int, Iterator[tuple[bytes, bytes]]]:
    """The same for dossiers: for each unchanged bucket, the subjects' keys and dossiers, in order."""
    then = shelf.open(previous.seal.terms["release"], deep=False).seal
    if set(then.terms["tables"]) != set(release.seal.terms["tables"]):
        return {}
    same = unchanged_buckets(then, release.seal, list(then.terms["tables"]))
    keys, text = (_map_file(previous.path / name) for name in (SUBJECTS_FILE, DOSSIERS_FILE))
    ends = read_offsets(previous.path).tolist()
    first = read_keys(previous.path)[:, 0]
    width = 256 // release.seal.terms["buckets"]

    def rows(start: int, end: int) -> Iterator[tuple[bytes, bytes]]:
        for row in range(start, end):
            yield keys[row * KEY_BYTES : (row + 1) * KEY_BYTES], text[ends[row] : ends[row + 1]]

    return {b: rows(*map(int, np.searchsorted(first, [b * width, (b + 1) * width]))) for b in same}


def _description(terms: Mapping[str, Any], table: str) -> Any:
    table_terms = terms["tables"].get(table)
    return table_terms and {name: value for name, value in table_terms.items() if name != "rows"}


def _map_file(path: Path) -> mmap.mmap:
    with path.open("rb") as stream:
        return mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
