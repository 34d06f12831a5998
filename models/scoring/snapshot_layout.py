"""The layout of a snapshot (快照): which files are in its sealed folder, and the type of every value in them.

The compute zone writes these files and the service zone reads them; this module is the one place that says how.

A snapshot of scores holds n subjects of F features, sorted by subject key::

    subjects.bin   n × 16 bytes: the subject keys, sorted
    features.npy   (n, F) float64, NaN where missing; the names are in the seal's terms under "features"
    answers.npy    (n,) records of :func:`answer_dtype`

A monthly evaluation (按月评价) holds two files more::

    evaluation.parquet   one row per subject: grade, points, probability, reasons, rules, last grade, movement, cause
    movements.json       counts of grades now and before, and of upgrades and downgrades by group

A public evaluation (公共信用综合评价) has the same files with points by indicators; its declaration is in the terms of
its seal under "evaluation", and ``features.npy`` holds the values of the declared measures::

    answers.npy    (n,) records of :func:`evaluation_dtype`, in hundredths of a point

A snapshot of dossiers (信用档案) holds the public records of n subjects instead of scores::

    subjects.bin   n × 16 bytes: the subject keys of the purpose "inquiry", sorted
    offsets.bin    (n + 1) × 8 bytes, little endian: where each dossier starts in dossiers.json; the last is its end
    dossiers.json  n times {"<table>": [[happened, ends, value, …], …]}, the newest record first
    index.json     {"<table>": the release's description of the table, with "columns" in the order of the values}
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

SUBJECTS_FILE = "subjects.bin"
FEATURES_FILE = "features.npy"
ANSWERS_FILE = "answers.npy"
EVALUATION_FILE = "evaluation.parquet"
MOVEMENTS_FILE = "movements.json"
OFFSETS_FILE = "offsets.bin"
DOSSIERS_FILE = "dossiers.json"
INDEX_FILE = "index.json"
KEY_BYTES = 16  # of one subject key in subjects.bin
OFFSET_BYTES = 8  # of one offset in offsets.bin
OFFSET_ORDER: Final = "little"  # the byte order of an offset
FEATURE_DTYPE = "<f8"


def answer_dtype(features: int) -> np.dtype[Any]:
    """The record of one answer with ``features`` contributions; ``grade`` is an index into the scorecard's grades."""
    fields = [("probability", "<f8"), ("points", "<f8"), ("base_points", "<f8")]
    return np.dtype([*fields, ("contributions", "<f8", (features,)), ("grade", "i1")])


def evaluation_dtype(indicators: int) -> np.dtype[Any]:
    """The record of one public evaluation with ``indicators`` contributions, all in whole hundredths of a point;
    ``grade`` is an index into the declared grades."""
    return np.dtype([("points", "<i4"), ("contributions", "<i4", (indicators,)), ("grade", "i1")])


def read_keys(folder: Path) -> NDArray[np.uint8]:
    """The subject keys (n, 16) of a snapshot, read into memory."""
    return np.fromfile(folder / SUBJECTS_FILE, dtype=np.uint8).reshape(-1, KEY_BYTES)


def map_features(folder: Path) -> NDArray[np.float64]:
    """The features (n, F) of a snapshot, memory-mapped and read-only."""
    return np.asanyarray(np.load(folder / FEATURES_FILE, mmap_mode="r", allow_pickle=False))


def map_answers(folder: Path) -> NDArray[Any]:
    """The answers (n,) of a snapshot as records, memory-mapped and read-only."""
    return np.asanyarray(np.load(folder / ANSWERS_FILE, mmap_mode="r", allow_pickle=False))


def create_arrays(
    folder: Path, subjects: int, features: int, records: np.dtype[Any]
) -> tuple[np.memmap[Any, Any], np.memmap[Any, Any]]:
    """New memory-mapped files for the features (n, F) and the answers (n,), each of ``records``, to be filled and
    flushed."""
    create = np.lib.format.open_memmap
    return (
        create(folder / FEATURES_FILE, mode="w+", dtype=FEATURE_DTYPE, shape=(subjects, features)),
        create(folder / ANSWERS_FILE, mode="w+", dtype=records, shape=(subjects,)),
    )


def read_offsets(folder: Path) -> NDArray[np.uint64]:
    """The offsets (n + 1,) of the dossiers in ``dossiers.json``."""
    return np.fromfile(folder / OFFSETS_FILE, dtype="<u8")
