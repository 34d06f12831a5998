"""Public dues: tax ratings and arrears, social insurance, water, power and gas."""

from __future__ import annotations

from typing import Any

import numpy as np

from privacy.city.events import Events, poisson_events, random_categories
from privacy.city.population import Population
from privacy.city.tables.records import Drawn, Generator, amounts, known_by_today, record_states
from privacy.city.words import (
    pick,
    text,
)


def tax_credit_rating(rng: Generator, people: Population) -> Drawn:
    """纳税信用, each April for the year before: A 90 and more, M new or without revenue, D below 40."""
    first = people.span.start.astype("datetime64[Y]").astype(np.int64) + 1970
    last = people.span.today.astype("datetime64[Y]").astype(np.int64) + 1970
    rated = rng.random(len(people)) < np.where(people.trader, 0.12, 0.85)
    who = np.tile(np.flatnonzero(rated), last - first + 1)
    year = np.repeat(np.arange(first, last + 1), int(rated.sum()))
    day = (year - 1970).astype("datetime64[Y]").astype("datetime64[D]") + 90 + rng.integers(5, 28, len(who))
    known = (people.registered[who] < (year - 1971).astype("datetime64[Y]").astype("datetime64[D]") + 366) & (
        people.ended[who] > day
    )
    events = Events(who, day, people.risk_on(who, day)).where(known & (day <= people.span.today))
    points = -events.risk + rng.normal(0, 0.65, len(events))
    level = np.searchsorted([-2.05, -1.2, -0.7, 1.5], points)  # D C M B A
    young = (events.day - people.registered[events.who]).astype(np.int64) < 900
    level = np.where(young & (level > 2), 2, level)
    return known_by_today(
        rng, people, events,
        {"rated_on": events.day, "year": events.year - 1, "level": pick(("D", "C", "M", "B", "A"), level),
         "taxpayer_number": text(people.code[events.who]), "province": pick(("天津市",), np.zeros(len(events), int))},
    )  # fmt: skip


def tax_arrears(rng: Generator, people: Population) -> Drawn:
    """欠税公告, in 万元."""
    events = poisson_events(rng, people, 0.035, 0.02, 1.0)
    return known_by_today(
        rng, people, events,
        {"announced_on": events.day, "amount": amounts(rng, events, 1.5, 1.3, 900),
         "record_state": record_states(rng, len(events))},
    )  # fmt: skip


def _first_of_month(people: Population, events: Events) -> tuple[Events, Any]:
    month = events.day.astype("datetime64[M]").astype("datetime64[D]")
    keep = (month >= people.span.start) & (month > people.registered[events.who])
    return Events(events.who, month, events.risk).where(keep), month[keep]


def social_insurance_arrears(rng: Generator, people: Population) -> Drawn:
    """社保、公积金欠缴, in yuan; known about six weeks after the month."""
    weight = np.minimum(people.employees, 30) ** 0.4 / 2
    events, month = _first_of_month(people, poisson_events(rng, people, 0.14, 0.10, 1.1, weight))
    heads = np.minimum(people.employees[events.who], 500) + 1
    amount = np.round(heads * 1250 * rng.uniform(0.2, 1, len(events)), 2)
    fund = pick(("社保", "公积金"), random_categories(rng, len(events), (70, 30)))
    return known_by_today(
        rng, people, events, {"month_on": month, "amount": amount, "fund_kind": fund, "people": heads}, month + 44
    )


def utility_arrears(rng: Generator, people: Population) -> Drawn:
    """水电气欠费, in yuan; known about six weeks after the month."""
    events, month = _first_of_month(people, poisson_events(rng, people, 0.16, 0.24, 1.1))
    kind = pick(("水", "电", "气"), random_categories(rng, len(events), (30, 55, 15)))
    amount = np.round(amounts(rng, events, 900, 1.1, 400000), 2)
    return known_by_today(rng, people, events, {"month_on": month, "amount": amount, "utility_kind": kind}, month + 40)
