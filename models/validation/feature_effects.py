"""Feature effects (特征作用): how much each feature of a version matters, and how the points follow its values.

Partial dependence (Friedman 2001): the mean points of all judged rows if each of them had the same value of one
feature. Values are thresholds of the model, which have at least ten subjects on either side before the next; means are
over many subjects and in whole points, so neither describes a single one.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.scoring.scorer import Scorer
from models.scoring.trees.model_text import CATEGORICAL

ROWS, FEATURES, VALUES = 1_000, 20, 9  # the most rows, features and values of a feature that are used
NO_LIMIT = 1e300  # LightGBM writes a threshold that no value is above as the largest float, we as infinity
Rows = NDArray[np.float64]


def feature_effects(scorer: Scorer, features: Rows) -> dict[str, Any]:
    """``{importance: {feature: points}, dependence: {feature: {values, points, above, missing}}}`` over rows (n, F).

    Importance is the mean absolute contribution in points, the largest first. ``points`` has the mean points at each of
    the ``values`` and below, down to the one before; ``above`` beyond the last one; ``missing`` without a value.
    """
    names = scorer.card.names
    rows = np.asarray(features, dtype=np.float64)[:: -(-len(features) // ROWS)]
    sizes = np.abs(scorer.score(rows).point_contributions).mean(axis=0)
    order = sorted(range(len(names)), key=lambda place: (-sizes[place], names[place]))
    return {
        "importance": {names[place]: round(float(sizes[place]), 1) for place in order},
        "dependence": {
            names[place]: _dependence(scorer, rows, place, thresholds)
            for place in order[:FEATURES]
            if (thresholds := _thresholds(scorer, place)) is not None
        },
    }


def _dependence(scorer: Scorer, rows: Rows, place: int, thresholds: list[float]) -> dict[str, Any]:
    above = float(np.nextafter(thresholds[-1], np.inf)) if thresholds else 0.0
    tried = [*thresholds, above, np.nan]
    changed = np.repeat(rows[None, :, :], len(tried), axis=0)
    changed[:, :, place] = np.asarray(tried)[:, None]
    points = scorer.points(scorer.raw(changed.reshape(-1, rows.shape[1]))).reshape(len(tried), len(rows))
    means = [round(float(mean)) for mean in points.mean(axis=1)]
    return {"values": thresholds, "points": means[:-2], "above": means[-2], "missing": means[-1]}


def _thresholds(scorer: Scorer, place: int) -> list[float] | None:
    """At most :data:`VALUES` of the thresholds of a feature, spread over all of them; None for one that is not split.

    A split that only separates a value from a missing one has a threshold that no value is above, which is not shown.
    """
    splits = [(tree.split_feature == place) & (tree.decision & CATEGORICAL == 0) for tree in scorer.forest.trees]
    each = np.unique(
        np.concatenate([tree.threshold[own] for tree, own in zip(scorer.forest.trees, splits, strict=True)])
    )
    if not len(each):
        return None
    each = each[np.abs(each) < NO_LIMIT]
    if not len(each):
        return []
    chosen = each[np.unique(np.linspace(0, len(each) - 1, min(VALUES, len(each))).round().astype(int))]
    return [float(value) for value in chosen]
