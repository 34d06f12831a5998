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

MOST = 0.98  # AUC, either way, of one feature: its value where it is known, or its being known at all
LEAST_KNOWN = 30  # values; fewer say nothing


def leaking(sample: Sample, most: float = MOST) -> dict[str, float]:
    """The features above ``most`` on the rows that are learned from, by name, with the AUC of each."""
    learned = ~np.asarray(sample.out_of_time, dtype=np.bool_)
    labels, found = np.asarray(sample.labels)[learned], {}
    for name, column in zip(sample.names, np.asarray(sample.features)[learned].T, strict=True):
        known = ~np.isnan(column)
        tries = [auc(labels, known)]
        if known.sum() > LEAST_KNOWN:
            tries.append(auc(labels[known], column[known]))
        strongest = max((max(each, 1 - each) for each in tries if not np.isnan(each)), default=0.5)
        if strongest > most:
            found[name] = round(strongest, 6)
    return found


def require_no_leak(order: Order, sample: Sample) -> None:
    """Raise :class:`Refused` on a feature that tells the label by itself, unless the order accepts it by name."""
    found = {name: value for name, value in leaking(sample).items() if name not in order.training.accept_leak}
    if found:
        why = Text.several(Text.of("leakage.alone", name=name, auc=value) for name, value in found.items())
        raise Refused("leakage.feature-predicts-label", why=why, names=", ".join(found))
