"""A vintage (批次): the subjects scored in one month, and their outcomes once its window has closed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Vintage:
    """One row a subject: the probability that was served (n,), the outcome 0 or 1 (n,), NaN where none is known.

    ``ripe_on`` is the day from which the outcomes of the month are complete.
    """

    month: str  # yyyy-mm
    probability: NDArray[np.float64]
    outcome: NDArray[np.float64]
    ripe_on: date

    def is_ripe(self, today: date) -> bool:
        """Whether the window of the month has closed: before it, those who default early are all that one sees."""
        return today >= self.ripe_on

    @property
    def labelled(self) -> tuple[Array, Array]:
        """Outcomes and probabilities (k,) of the subjects whose outcome is known."""
        known = ~np.isnan(self.outcome)
        return self.outcome[known], self.probability[known]

    @property
    def maturity(self) -> float:
        """The share of the subjects whose outcome is known."""
        return float(np.mean(~np.isnan(self.outcome))) if len(self.outcome) else 0.0


def ripe_on(month: str, window_months: int, settle_days: int) -> date:
    """The day on which the outcomes of subjects scored in a month (yyyy-mm) are complete.

    The last of them is scored on the month's last day; its window and the delay of reports run from there.
    """
    year, number = (int(part) for part in month.split("-"))
    first_after = year * 12 + number + window_months
    return date(first_after // 12, first_after % 12 + 1, 1) + timedelta(days=settle_days)
