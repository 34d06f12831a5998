"""When something happens to somebody: counts from the hidden risk, spread over days on which the subject existed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from privacy.city.population import VARIANCE, Population

Array = np.ndarray[Any, Any]


@dataclass(frozen=True, slots=True)
class Events:
    """m events: ``who`` (index into the chunk), ``day`` it happened, ``risk`` of the subject then."""

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


def happen(
    rng: np.random.Generator, people: Population, firm: float, trader: float, slope: float, weight: Array | None = None
) -> Events:
    """Poisson events at ``firm`` or ``trader`` a year on average; ``slope`` is the log-rate per unit of risk.

    ``weight`` (n,) multiplies a subject's rate (its size, or 0 for who cannot have the record).
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


def after(rng: np.random.Generator, days: Array, least: int, most: int) -> Array:
    """Each day plus ``least`` … ``most`` days."""
    later: Array = days + rng.integers(least, most + 1, len(days))
    return later


def chance(rng: np.random.Generator, risk: Array, level: float, slope: float) -> Array:
    """True with probability 1 / (1 + exp(-(level + slope * risk)))."""
    happens: Array = rng.random(len(risk)) < 1 / (1 + np.exp(-(level + slope * risk)))
    return happens


def among(rng: np.random.Generator, count: int, shares: tuple[float, ...]) -> Array:
    """``count`` places 0 … len(shares)-1, each with its share."""
    return np.searchsorted(np.cumsum(shares)[:-1] / sum(shares), rng.random(count), side="right")
