"""Labels drawn from known relations between margin and log-odds."""

from __future__ import annotations

import numpy as np

from models.metrics.logistic_regression import sigmoid

FORMS = {  # true log-odds of a margin
    "platt": lambda raw: 0.8 * raw - 0.2,
    "beta": lambda raw: 2.0 * np.logaddexp(0, raw) - 0.25 * np.logaddexp(0, -raw) - 2.5,
    "isotonic": lambda raw: np.where(raw < -2, -4.0, np.where(raw < -1, -1.0, 0.5)),
}


def draw(rows: int, seed: int, form: str = "beta") -> tuple[np.ndarray, np.ndarray]:
    """Labels (0 or 1) and margins of ``rows`` rows, where the log-odds are those of ``form``."""
    random = np.random.default_rng(seed)
    raw = random.normal(-2, 1.5, rows)
    return (random.random(rows) < sigmoid(FORMS[form](raw))).astype(int), raw
