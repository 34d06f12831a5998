"""Many tests in one month: which of them count as alarms (Benjamini and Hochberg 1995).

With 80 features and two tests each, a limit for a single test would raise an alarm in most months. The procedure
bounds the share of false alarms among all alarms; in an unchanged month that is the chance of any alarm at all. It is
valid for independent tests and for positively dependent ones (Benjamini and Yekutieli 2001), such as
features of the same records.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np


def adjusted(p: Mapping[str, float]) -> dict[str, float]:
    """The adjusted p-value of each test by name: an alarm at rate q is a value of at most q."""
    names = sorted(p, key=lambda name: (p[name], name))
    if not names:
        return {}
    count = len(names)
    scaled = np.array([p[name] for name in names]) * (count / np.arange(1, count + 1))
    smallest = np.minimum(np.minimum.accumulate(scaled[::-1])[::-1], 1.0)
    return dict(zip(names, smallest.tolist(), strict=True))
