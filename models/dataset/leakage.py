"""Label leakage (标签泄漏): a feature that predicts the label almost alone. A person must accept it by name in the
order.

Such a feature usually contains the label under another name, or was recorded after the outcome was known.
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

MAXIMUM_AUC = 0.98  # AUC of a single feature, or 1 - AUC: of its known values, or of whether it is known
MINIMUM_KNOWN = 30  # values; with fewer the AUC is not reliable


def leaking_features(sample: Sample, maximum: float = MAXIMUM_AUC) -> dict[str, float]:
    """The features above ``maximum`` on in-time rows, by name, with their AUC.

    The AUC of a feature is taken either way (above or below 0.5), of its known values and of whether it is known at
    all.
    """
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
    """Raise :class:`Refused` for a leaking feature unless the order accepts it by name (``training.accept_leak``)."""
    leaks = {name: value for name, value in leaking_features(sample).items() if name not in order.training.accept_leak}
    if leaks:
        why = Text.several(Text.of("leakage.alone", name=name, auc=value) for name, value in leaks.items())
        raise Refused("leakage.feature-predicts-label", why=why, names=", ".join(leaks))
