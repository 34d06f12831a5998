"""How much each column counts when groups are made: as it does in the model that is in production, or all alike.

A champion's gains are sums over all subjects that it learnt from, and stand in its model text; they say nothing of
the label of a subject. Without a champion every column counts the same.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

LEAST = 0.02  # of a column that the champion does not use


def split_gains(text: str) -> dict[str, float]:
    """The gains of a LightGBM model text, summed by feature and divided by their sum."""
    names: list[str] = []
    gains: defaultdict[str, float] = defaultdict(float)
    features: list[int] = []
    for line in text.splitlines():
        key, _, value = line.partition("=")
        if key == "feature_names":
            names = value.split()
        elif key == "split_feature":
            features = [int(each) for each in value.split()]
        elif key == "split_gain":
            for feature, gain in zip(features, value.split(), strict=True):
                gains[names[feature]] += max(0.0, float(gain))
    total = sum(gains.values())
    return {name: gain / total for name, gain in gains.items()} if total > 0 else {}


def column_weights(names: Sequence[str], gains: dict[str, float]) -> NDArray[np.float64]:
    """The weight (C,) of each column: the root of its share of the gains and :data:`LEAST`; 1 without gains."""
    if not gains:
        return np.ones(len(names))
    return np.array([math.sqrt(gains.get(name, 0.0)) + LEAST for name in names])
