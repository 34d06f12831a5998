"""An excerpt (摘录): the rows of a snapshot that earlier answers rest on, sealed before the snapshot is destroyed.

Each of those answers can be computed again from the excerpt, equal to the last bit. Nothing else of the snapshot
remains.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date

import numpy as np

from credit.actor import Actor
from credit.keys import SigningKey
from credit.seal import Kind, Seal
from credit.shelf import OpenedSeal, Shelf
from credit.subjects import SubjectKey
from models.scoring.snapshot_layout import ANSWERS_FILE, FEATURES_FILE, SUBJECTS_FILE
from serving.data.key_index import KeyIndex, map_bytes


def make_excerpt(
    shelf: Shelf, snapshot: OpenedSeal, subjects: Collection[str], *, expires_on: date, by: Actor, key: SigningKey
) -> Seal | None:
    """Seal the rows of these subjects (pseudonyms in hexadecimal) of a verified snapshot.

    Gives None when the snapshot has none of the subjects.
    """
    index = KeyIndex(map_bytes(snapshot.path / SUBJECTS_FILE))
    keys = sorted(SubjectKey(subject).raw for subject in subjects)
    matches = [(subject_key, row) for subject_key in keys if (row := index.row_of(subject_key)) is not None]
    if not matches:
        return None
    rows = [row for _, row in matches]
    with shelf.staging() as folder:
        (folder / SUBJECTS_FILE).write_bytes(b"".join(subject_key for subject_key, _ in matches))
        for name in (FEATURES_FILE, ANSWERS_FILE):
            array = np.load(snapshot.path / name, mmap_mode="r", allow_pickle=False)
            np.save(folder / name, np.ascontiguousarray(array[rows]))
        terms = {**snapshot.seal.terms, "of": snapshot.seal.id, "subjects": len(matches)}
        parents = (snapshot.seal.id, *snapshot.seal.parents)
        return shelf.put(folder, Kind.EXCERPT, parents=parents, terms=terms, expires_on=expires_on, by=by, key=key)
