"""Learning curves (学习曲线): figures by number of rounds, for people who look at a run; they are not sealed."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from models.metrics.discrimination import auc
from models.scoring.scorer import Scorer

ROWS, POINTS = 10_000, 60  # the most rows and rounds that are used, so that curves are quick


def learning_curves(
    scorer: Scorer, features: NDArray[np.float64], labels: NDArray[np.int8]
) -> dict[str, list[tuple[int, float]]]:
    """``auc`` and ``log_loss`` (of uncalibrated margins) after some rounds, the last among them, on rows (n, F)."""
    step = -(-len(labels) // ROWS)
    rows, defaulted = features[::step], labels[::step]
    if len(np.unique(defaulted)) < 2:
        return {}
    leaves, trees = scorer.leaves(rows), scorer.forest.trees
    rounds = set(np.unique(np.linspace(1, len(trees), min(POINTS, len(trees))).round().astype(int)).tolist())
    curves: dict[str, list[tuple[int, float]]] = {"auc": [], "log_loss": []}
    margin = np.zeros(len(defaulted))
    for number, tree in enumerate(trees, start=1):
        margin += tree.leaf_value[leaves[:, number - 1]]
        if number in rounds:
            curves["auc"].append((number, auc(defaulted, margin)))
            curves["log_loss"].append(
                (number, float(np.mean(np.logaddexp(0.0, np.where(defaulted == 1, -margin, margin)))))
            )
    return curves


def feature_importance(scorer: Scorer, features: NDArray[np.float64]) -> Mapping[str, float]:
    """The mean absolute contribution of each feature to the points, over rows (n, F), the largest first."""
    step = -(-len(features) // ROWS)
    sizes = np.abs(scorer.score(features[::step]).point_contributions).mean(axis=0)
    return dict(sorted(zip(scorer.card.names, sizes.tolist(), strict=True), key=lambda item: (-item[1], item[0])))
