"""The AUC that a month would have if its probabilities were right: a hint before labels ripen, never a verdict.

Confidence-based performance estimation takes each subject as defaulted with its own probability. So it sees a change of
the population and is blind to a change of what the features mean. It is compared with the same estimate on the
reference, never with the realised AUC: the two differ by the model's own miscalibration.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.monitoring.watch_result import WatchResult, WatchState

Array = NDArray[Any]
ESTIMATED = "estimated_discrimination"


def estimated_auc(probability: Array) -> float:
    """The expected AUC of probabilities (n,) as scores of their own outcomes; NaN without any.

    For sorted q and w the running sum of 1 - q: Σ q (w - (1-q)) over Σq Σ(1-q) - Σq(1-q), the pairs of two subjects.
    """
    q = np.sort(np.asarray(probability, dtype=np.float64))
    pairs = q.sum() * (1 - q).sum() - (q * (1 - q)).sum()
    return float((q * (np.cumsum(1 - q) - (1 - q))).sum() / pairs) if pairs > 0 else float("nan")


def estimate_watch(month: str, probability: Array, reference: float) -> WatchResult:
    """The estimate of a month against that of the reference; its state is always a hint."""
    estimate = estimated_auc(probability)
    evidence = (("estimated_auc", estimate), ("reference_estimate", reference))
    return WatchResult(ESTIMATED, month, WatchState.HINT, len(probability), reference - estimate, evidence=evidence)
