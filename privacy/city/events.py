"""Random events of subjects: counts depend on the hidden risk, days lie within the life of the subject."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from privacy.city.population import VARIANCE, Population

Array = np.ndarray[Any, Any]


@dataclass(frozen=True, slots=True)
class Events:
    """m events: index of the subject in the chunk, day, and the subject's risk on that day; all (m,)."""

    who: Array
    day: Array
    risk: Array

    def __len__(self) -> int:
        return len(self.who)

    def where(self, keep: Array) -> Events:
        """Only these events."""
        return Events(self.who[keep], self.day[keep], self.risk[keep])

    @property
    def year(self) -> Array:
        """The calendar year of each event."""
        year: Array = self.day.astype("datetime64[Y]").astype(np.int64) + 1970
        return year


def poisson_events(
    rng: np.random.Generator, people: Population, firm: float, trader: float, slope: float, weight: Array | None = None
) -> Events:
    """Poisson events with the mean yearly rate ``firm`` or ``trader``; ``slope`` is the log-rate per unit of risk.

    ``weight`` (n,) multiplies the rate of a subject (its size, or 0 for a subject that cannot have the record).
    """
    span, quarters = people.span, len(people.span.quarters)
    yearly = np.where(people.trader, trader, firm)
    if weight is not None:
        yearly = yearly * weight
    rate = np.exp(slope * people.risk - slope * slope * VARIANCE / 2) * (yearly / 4)[:, None]
    counts = rng.poisson(rate).ravel()
    index = np.repeat(np.arange(counts.size), counts)
    who, quarter = index // quarters, index % quarters
    day = span.quarters[quarter] + rng.integers(0, 91, len(index))
    keep = (day > people.registered[who]) & (day <= people.ended[who]) & (day <= span.today)
    return Events(who[keep], day[keep], people.risk[who[keep], quarter[keep]])


def add_random_days(rng: np.random.Generator, days: Array, least: int, most: int) -> Array:
    """Each day plus a random number of days between ``least`` and ``most``."""
    later: Array = days + rng.integers(least, most + 1, len(days))
    return later


def logistic_trials(rng: np.random.Generator, risk: Array, level: float, slope: float) -> Array:
    """True with probability 1 / (1 + exp(-(level + slope * risk)))."""
    happens: Array = rng.random(len(risk)) < 1 / (1 + np.exp(-(level + slope * risk)))
    return happens


def random_categories(rng: np.random.Generator, count: int, shares: tuple[float, ...]) -> Array:
    """``count`` random indices 0 … len(shares)-1, with probabilities proportional to ``shares``."""
    return np.searchsorted(np.cumsum(shares)[:-1] / sum(shares), rng.random(count), side="right")
