"""Simulated months: subjects with a score, a probability and, when ripe, an outcome; the truth of each is known.

The score of a subject who defaults is normal with mean d, of one who does not with mean 0, so the AUC is Φ(d / √2) and
the probability follows from Bayes' rule: the months are calibrated by construction.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from statistics import NormalDist

import numpy as np

from models.monitoring.delong import MeasuredAuc, measured_auc
from models.monitoring.vintages import Vintage

AUC, RATE, REFERENCE_ROWS = 0.78, 0.05, 50_000


@dataclass(frozen=True, slots=True)
class World:
    """``rate`` defaults a year's month on average, with a common factor of deviation ``phi``."""

    random: np.random.Generator
    rows: int
    phi: float = 0.03

    def vintage(self, name: str, auc: float = AUC, shift: float = 1.0) -> Vintage:
        """A month in which the true AUC is ``auc`` and the default rate ``shift`` times what the model says."""
        rate = min(RATE * shift * max(0.1, 1 + self.phi * self.random.standard_normal()), 0.9)
        outcome = (self.random.random(self.rows) < rate).astype(np.float64)
        believed, true = (2**0.5 * NormalDist().inv_cdf(value) for value in (AUC, auc))
        # The two classes keep their distance from where the model saw a subject of average risk.
        mean = outcome * true + (believed - true) * RATE
        score = mean + self.random.standard_normal(self.rows)
        odds = RATE / (1 - RATE) * np.exp(believed * score - believed**2 / 2)
        return Vintage(name, odds / (1 + odds), outcome, date(2026, 1, 1))

    def months(self, count: int) -> list[Vintage]:
        """Unchanged months."""
        return [self.vintage(f"{2000 + number // 12}-{number % 12 + 1:02}") for number in range(count)]

    def reference(self) -> MeasuredAuc:
        """The AUC of a reference of :data:`REFERENCE_ROWS` labelled subjects."""
        month = World(self.random, REFERENCE_ROWS, 0.0).vintage("1999-01")
        return measured_auc(month.outcome, month.probability)
