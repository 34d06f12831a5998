"""Leak (标签泄漏): a feature that tells the label by itself. It stops for a human, who says in the order that it may.

Such a feature is mostly the label under another name, or something written down because the label had come true.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from credit.errors import Refused
from credit.messages import Text
from models.metrics.discrimination import auc

if TYPE_CHECKING:
    from models.dataset.sample import Sample
    from models.order.order import Order

MAXIMUM_AUC = 0.98  # AUC, either way, of one feature: its value where it is known, or its being known at all
MINIMUM_KNOWN = 30  # values; fewer say nothing


def leaking_features(sample: Sample, maximum: float = MAXIMUM_AUC) -> dict[str, float]:
    """The features above ``most`` on the rows that are learned from, by name, with the AUC of each."""
    in_time = ~np.asarray(sample.out_of_time, dtype=np.bool_)
    labels, leaks = np.asarray(sample.labels)[in_time], {}
    for name, column in zip(sample.names, np.asarray(sample.features)[in_time].T, strict=True):
        known = ~np.isnan(column)
        aucs = [auc(labels, known)]
        if known.sum() > MINIMUM_KNOWN:
            aucs.append(auc(labels[known], column[known]))
        strongest = max((max(value, 1 - value) for value in aucs if not np.isnan(value)), default=0.5)
        if strongest > maximum:
            leaks[name] = round(strongest, 6)
    return leaks


def require_no_leak(order: Order, sample: Sample) -> None:
    """Raise :class:`Refused` on a feature that tells the label by itself, unless the order accepts it by name."""
    leaks = {name: value for name, value in leaking_features(sample).items() if name not in order.training.accept_leak}
    if leaks:
        why = Text.several(Text.of("leakage.alone", name=name, auc=value) for name, value in leaks.items())
        raise Refused("leakage.feature-predicts-label", why=why, names=", ".join(leaks))
