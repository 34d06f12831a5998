"""From a version to the copy that leaves of it (制作副本): its text, and what its page says."""

from __future__ import annotations

import numpy as np

from credit.errors import Malformed
from credit.messages import Text
from lab.airlock.copies.chosen_bits import chosen_bits
from lab.airlock.copies.sealed_model import SealedModel
from lab.airlock.copies.written_copy import copied_forest, copy_text
from lab.airlock.issue import Issue, fail
from lab.airlock.kinds.models.model_copy import CopiedFeature, ModelCopy
from lab.airlock.thresholds import Thresholds
from models.scoring.trees.model_text import Forest, read


def copy_of(sealed: SealedModel, t: Thresholds) -> ModelCopy | Issue:
    """The copy of a version, or the issue with a version whose files do not agree."""
    try:
        rows = min(int(tree.leaf_count.min()) for tree in read(sealed.text, sealed.features).trees)
        forest = copied_forest(sealed.text, sealed.features, sealed.subjects, t)
    except (Malformed, ValueError):
        return fail(Text.of("airlock.model-files"), Text.of("airlock.train-with-lab"))
    return ModelCopy(
        sealed.version,
        copy_text(forest, sealed.version, t),
        _features(forest),
        tuple(sealed.sql.splitlines()),
        len(forest.trees),
        forest.leaves,
        min(count for tree in sealed.subjects for count in tree),
        rows,
        (t["model_leaf_decimals"], t["model_threshold_digits"]),
        sealed.figures,
        chosen_bits(forest.features, sealed.sql),
        sealed.of_project,
        sealed.in_production,
    )


def _features(forest: Forest) -> tuple[CopiedFeature, ...]:
    used = np.concatenate([tree.split_feature for tree in forest.trees])
    cuts = np.concatenate([tree.threshold for tree in forest.trees])
    features = []
    for number, name in enumerate(forest.features):
        own = cuts[used == number]
        features.append(CopiedFeature(name, len(own), float(own.min()), float(own.max())))
    return tuple(features)
