"""An excerpt (摘录): the rows of a snapshot that answers rest on, sealed before the snapshot is destroyed.

Any of those answers can be replayed from it to the bit, and of the others in the snapshot nothing is left.
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
    """The rows of these subjects (pseudonyms in hexadecimal) of a verified snapshot; None when it has none of them."""
    rows = KeyIndex(map_bytes(snapshot.path / SUBJECTS_FILE))
    keys = sorted(SubjectKey(subject).raw for subject in subjects)
    found = [(key_, row) for key_ in keys if (row := rows.row_of(key_)) is not None]
    if not found:
        return None
    places = [row for _, row in found]
    with shelf.staging() as made:
        (made / SUBJECTS_FILE).write_bytes(b"".join(key_ for key_, _ in found))
        for name in (FEATURES_FILE, ANSWERS_FILE):
            whole = np.load(snapshot.path / name, mmap_mode="r", allow_pickle=False)
            np.save(made / name, np.ascontiguousarray(whole[places]))
        terms = {**snapshot.seal.terms, "of": snapshot.seal.id, "subjects": len(found)}
        parents = (snapshot.seal.id, *snapshot.seal.parents)
        return shelf.put(made, Kind.EXCERPT, parents=parents, terms=terms, expires_on=expires_on, by=by, key=key)
