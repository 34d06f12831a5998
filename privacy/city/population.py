"""The population of the invented city: subjects with a hidden risk that drifts and is the cause of all their records.

``risk[i, q]`` is the hidden risk of subject i in quarter q, with mean about 0 and variance about ``VARIANCE``: a
constant of the subject, an autoregressive drift, and a part that depends on industry, age and size. Every table and
every overdue loan is drawn from it with independent noise; the risk itself is in no file.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa

from privacy.city.codes import digits, person_numbers, serials, uscc_codes
from privacy.city.words import DISTRICTS, PLACES, SYLLABLES, TRADES, concatenate, pick, text

Array = np.ndarray[Any, Any]
VARIANCE = 1.15
_INDUSTRIES = tuple(TRADES)
_FIRM_SHARE = (1.5, 11, 8, 31, 6, 4, 7, 4, 12, 10, 1, 2, 1, 0.5, 1)
_TRADER_SHARE = (1, 5, 1, 48, 6, 22, 0.5, 0.5, 3, 1, 0.5, 9, 0.5, 1, 1)
_INDUSTRY_RISK = np.array([0.1, 0, 0.35, 0.1, 0.25, 0.3, -0.2, 0.35, 0, -0.25, -0.1, 0.1, 0, -0.3, 0.1])
_DISTRICT_SHARE = (4, 5, 6, 6, 4, 3, 6, 7, 6, 7, 9, 5, 20, 3, 5, 4)
NEVER = np.datetime64("2999-12-31")


@dataclass(frozen=True, slots=True)
class Span:
    """The period of the records: from 1 January three years before until ``today``, in quarters."""

    start: np.datetime64
    today: np.datetime64
    quarters: Array  # (q,) first days

    @classmethod
    def until(cls, today: date) -> Span:
        """The span that ends today."""
        start, end = np.datetime64(f"{today.year - 3}-01", "M"), np.datetime64(today, "D")
        return cls(
            start.astype("datetime64[D]"),
            end,
            np.arange(start, end.astype("datetime64[M]") + 1, 3).astype("datetime64[D]"),
        )


@dataclass(frozen=True, slots=True)
class Population:
    """A chunk of n subjects; all arrays are (n,), except ``risk`` (n, quarters)."""

    span: Span
    first: int
    trader: Array  # True: individual business (个体工商户)
    code: Array  # S18
    name: pa.Array
    representative: pa.Array
    person: Array  # S18, the representative's invented citizen number
    district: Array  # index into words.DISTRICTS
    industry: Array  # index into words.TRADES
    registered: Array  # datetime64[D]
    ended: Array  # datetime64[D], NEVER when active
    revoked: Array
    capital: Array  # 万元
    employees: Array
    risk: Array

    def __len__(self) -> int:
        return len(self.code)

    @property
    def active(self) -> Array:
        """True for subjects that have not ended by today."""
        return self.ended > self.span.today

    def risk_on(self, who: Array, days: Array) -> Array:
        """The hidden risk of these subjects on these days."""
        quarter = np.searchsorted(self.span.quarters, days, side="right") - 1
        return self.risk[who, np.clip(quarter, 0, len(self.span.quarters) - 1)]


def draw_population(rng: np.random.Generator, span: Span, first: int, count: int, offset: int) -> Population:
    """Draw ``count`` subjects, numbered from ``first``; ``offset`` shifts the serials and depends on the seed."""
    trader = rng.random(count) < 0.32
    industry = np.where(trader, _choice(rng, count, _TRADER_SHARE), _choice(rng, count, _FIRM_SHARE))
    district = _choice(rng, count, _DISTRICT_SHARE)
    employees = np.where(trader, rng.poisson(1.6, count), np.ceil(rng.lognormal(2.1, 1.15, count))).astype(np.int64)
    employees = np.minimum(employees, 20000)
    capital = np.where(trader, rng.lognormal(1.6, 0.9, count), rng.lognormal(3.6, 1.1, count) * np.sqrt(employees))
    age = np.minimum(rng.exponential(np.where(trader, 1500, 2600)), 9500).astype(np.int64) + 185
    thin = rng.random(count) < 0.03
    registered = span.today - np.where(thin, rng.integers(5, 180, count), age)
    own = rng.normal(0, 0.78, count)
    risk = (
        own[:, None]
        + _drift(rng, count, len(span.quarters))
        + _visible_risk(span, registered, industry, employees, trader)
    )
    ended, revoked = _endings(rng, span, registered, risk)
    return Population(
        span=span,
        first=first,
        trader=trader,
        code=uscc_codes(
            np.where(trader, b"92", b"91"), np.array(DISTRICTS, dtype="S6")[district], serials(first, count, offset)
        ),
        name=_names(rng, trader, industry),
        representative=concatenate("虚", *(pick(SYLLABLES, rng.integers(0, len(SYLLABLES), count)) for _ in range(2))),
        person=person_numbers(rng, count),
        district=district,
        industry=industry,
        registered=registered,
        ended=ended,
        revoked=revoked,
        capital=_as_declared(np.clip(capital, 0.5, 500000)),
        employees=employees,
        risk=risk.astype(np.float32),
    )


def industry_letters() -> Array:
    """The GB/T 4754 sections in the order of ``Population.industry``."""
    return np.array(_INDUSTRIES)


def addresses(rng: np.random.Generator, district: Array) -> pa.Array:
    """Invented addresses: the district is real, the road is not."""
    count = len(district)
    places = pick(tuple(PLACES.values()), district)
    road = [pick(SYLLABLES, rng.integers(0, len(SYLLABLES), count)) for _ in range(2)]
    return concatenate("天津市", places, "虚构", *road, "路", text(digits(rng.integers(1, 999, count), 3)), "号")


def _as_declared(capital: Array) -> Array:
    """Capital rounded down to a usual amount: 1, 2, 3, 5 or 8 times a power of ten (万元)."""
    tens = 10 ** np.floor(np.log10(capital))
    figures = np.array([1, 2, 3, 5, 8])
    near: Array = figures[np.searchsorted(figures, capital / tens, side="right") - 1] * tens
    return np.round(near, 4)


def _choice(rng: np.random.Generator, count: int, shares: tuple[float, ...]) -> Array:
    return np.searchsorted(np.cumsum(shares) / sum(shares), rng.random(count), side="right").clip(0, len(shares) - 1)


def _drift(rng: np.random.Generator, count: int, quarters: int) -> Array:
    """An autoregressive process of order 1, standard deviation 0.6, half-life about three years; (count, quarters)."""
    keep, spread = 0.945, 0.6
    drift = np.empty((count, quarters))
    drift[:, 0] = rng.normal(0, spread, count)
    for quarter in range(1, quarters):
        drift[:, quarter] = keep * drift[:, quarter - 1] + rng.normal(0, spread * np.sqrt(1 - keep**2), count)
    return drift


def _visible_risk(span: Span, registered: Array, industry: Array, employees: Array, trader: Array) -> Array:
    """The part of the risk that depends on industry, age and size, (n, quarters)."""
    years = (span.quarters[None, :] - registered[:, None]).astype(np.float64) / 365.25
    young = 0.45 * np.exp(-np.clip(years, 0, None) / 3)
    size = np.where(trader, -0.15 * np.minimum(employees, 4) + 0.2, -0.14 * (np.log1p(employees) - 2.2))
    visible: Array = young + (size + _INDUSTRY_RISK[industry])[:, None] - 0.15
    return visible


def _endings(rng: np.random.Generator, span: Span, registered: Array, risk: Array) -> tuple[Array, Array]:
    """Days of deregistration (注销) or revocation (吊销), more frequent at high risk, and True where it is
    revocation.
    """
    count, quarters = risk.shape
    starts = span.quarters[None, :]
    chance = 0.0045 * np.exp(0.5 * risk) * (starts > registered[:, None] + 365)
    falls = rng.random((count, quarters)) < chance
    which = np.where(falls.any(axis=1), falls.argmax(axis=1), -1)
    day = span.quarters[which] + rng.integers(0, 90, count)
    ended = np.where((which >= 0) & (day < span.today), day, NEVER)
    return ended, rng.random(count) < 0.2


def _names(rng: np.random.Generator, trader: Array, industry: Array) -> pa.Array:
    count = len(trader)
    trades = pick(tuple(TRADES.values()), industry)
    parts = [pick(SYLLABLES, rng.integers(0, len(SYLLABLES), count)) for _ in range(3)]
    return concatenate("海河虚构", *parts, trades, pick(("有限公司", "部（个体工商户）"), trader.astype(np.int64)))
