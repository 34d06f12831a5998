"""Stability index (稳定性指数): how far the distribution of scores or features has moved between two samples."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.metrics.discrimination import SEED, Interval

Floats = NDArray[np.float64]
Array = NDArray[Any]


def stability_index(expected: Array, actual: Array, edges: Array) -> float:
    """Σ (a - e) ln(a / e) over the bins between the inner, ascending ``edges``; below 0.1 is stable, above 0.25 has
    moved.

    An empty bin counts as half a row, so that the index stays finite.
    """
    bins = len(edges) + 1
    e, a = (np.bincount(np.digitize(x, edges), minlength=bins).astype(np.float64) for x in (expected, actual))
    e, a = np.maximum(e, 0.5) / max(e.sum(), 1.0), np.maximum(a, 0.5) / max(a.sum(), 1.0)
    return float(np.sum((a - e) * np.log(a / e)))


def stability_interval(binned: Array, late: Array, bins: int, groups: Array, draws: int = 100) -> Interval:
    """Stability index between earlier and ``late`` rows (n,), by given bins (n,), with its interval over subjects."""
    index = np.unique(groups, return_inverse=True)[1]
    random, count = np.random.default_rng(SEED), int(index.max()) + 1
    place = np.asarray(late, dtype=np.int64) * bins + binned

    def of(weights: Floats | None) -> float:
        counted = np.maximum(np.bincount(place, weights=weights, minlength=2 * bins).reshape(2, bins), 0.5)
        e, a = counted / counted.sum(axis=1, keepdims=True)
        return float(np.sum((a - e) * np.log(a / e)))

    drawn = [
        of(np.bincount(random.integers(0, count, count), minlength=count)[index].astype(np.float64))
        for _ in range(draws)
    ]
    low, high = np.percentile(drawn, [2.5, 97.5])
    return Interval(of(None), float(low), float(high))


def decile_edges(scores: Array) -> Floats:
    """The nine inner decile edges of the scores; fewer where deciles are equal."""
    return np.unique(np.quantile(np.asarray(scores, dtype=np.float64), np.arange(1, 10) / 10))
