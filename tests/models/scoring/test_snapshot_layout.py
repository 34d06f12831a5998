"""The layout of a snapshot is a stored form: a snapshot of last year opens, so its names and types never change."""

from __future__ import annotations

import numpy as np

from models.scoring import snapshot_layout as layout


def test_the_names_of_the_files_are_those_of_snapshots_that_exist() -> None:
    assert (layout.SUBJECTS_FILE, layout.FEATURES_FILE, layout.ANSWERS_FILE) == (
        "subjects.bin",
        "features.npy",
        "answers.npy",
    )
    assert (layout.OFFSETS_FILE, layout.DOSSIERS_FILE, layout.INDEX_FILE) == (
        "offsets.bin",
        "dossiers.json",
        "index.json",
    )
    assert (layout.EVALUATION_FILE, layout.MOVEMENTS_FILE) == ("evaluation.parquet", "movements.json")


def test_the_width_of_keys_and_offsets_and_the_fields_of_an_answer_are_fixed() -> None:
    assert (layout.KEY_BYTES, layout.OFFSET_BYTES, layout.OFFSET_ORDER) == (16, 8, "little")
    assert layout.answer_dtype(3) == np.dtype(
        [
            ("probability", "<f8"),
            ("points", "<f8"),
            ("base_points", "<f8"),
            ("contributions", "<f8", (3,)),
            ("grade", "i1"),
        ]
    )
