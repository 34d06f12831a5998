"""Parity (公平性): predicted and observed default rates by group of subjects, such as district, industry, size and age.

Groups may differ in their observed default rates; what is checked is that the probabilities are right in each group
(calibration within groups; Kleinberg, Mullainathan and Raghavan 2017 say which criteria cannot hold together).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.metrics import discrimination

Array = NDArray[Any]
MINIMUM_ROWS = 100  # smaller groups of a kind are merged as "others"


def measure(
    labels: Array, probability: Array, raw: Array, groups: Mapping[str, Array], base: int = 1
) -> dict[str, dict[str, dict[str, float]]]:
    """By kind of group and value: ``rows, positives, predicted, observed, ratio, ratio_low, ratio_high, auc``.

    ``ratio`` is observed over predicted; its 95 % interval takes the number of defaults as Poisson (Byar's
    approximation). ``auc`` is NaN where a group has one outcome. With a ``base`` above 1, rows and positives are its
    multiples, the shares follow from them, and the AUC has two decimals: one row more seldom changes anything.
    """
    figures: dict[str, dict[str, dict[str, float]]] = {}
    for kind, values_of_kind in groups.items():
        values = np.asarray(values_of_kind, dtype=np.str_)
        names, counts = np.unique(values, return_counts=True)
        small = set(names[counts < MINIMUM_ROWS].tolist())
        grouped = np.where(np.isin(values, list(small)), "others", values) if small else values
        figures[kind] = {
            str(name): _figures_of_group(
                labels[grouped == name], probability[grouped == name], raw[grouped == name], base
            )
            for name in np.unique(grouped)
        }
    return figures


def _figures_of_group(labels: Array, probability: Array, raw: Array, base: int) -> dict[str, float]:
    rows, bad = (base * round(count / base) for count in (len(labels), float(np.sum(labels))))
    expected = float(np.mean(probability)) * rows
    separation = discrimination.auc(labels, raw)
    low = bad * (1 - 1 / (9 * bad) - 1.96 / (3 * np.sqrt(bad))) ** 3 if bad else 0.0
    high = (bad + 1) * (1 - 1 / (9 * (bad + 1)) + 1.96 / (3 * np.sqrt(bad + 1))) ** 3
    return {
        "rows": rows,
        "positives": int(bad),
        "predicted": expected / rows,
        "observed": bad / rows,
        "ratio": bad / expected,
        "ratio_low": float(low) / expected,
        "ratio_high": float(high) / expected,
        "auc": separation if base == 1 else round(separation, 2),
    }
