"""Courts and lists: judgment debtors, the serious lists, and abnormal operation."""

from __future__ import annotations

import numpy as np

from privacy.city.events import Events, add_random_days, logistic_trials, poisson_events, random_categories
from privacy.city.population import Population
from privacy.city.tables.records import Drawn, Generator, amounts, known_by_today, record_states
from privacy.city.words import (
    COURTS,
    pick,
)


def judgment_debtor(rng: Generator, people: Population) -> Drawn:
    """被执行人, amounts in 万元."""
    events = poisson_events(rng, people, 0.035, 0.014, 1.0)
    amount = amounts(rng, events, 12, 1.5, 90000)
    court = pick(COURTS, people.district[events.who])
    return known_by_today(
        rng, people, events,
        {"filed_on": events.day, "amount": amount, "court": court, "record_state": record_states(rng, len(events))},
    )  # fmt: skip


def dishonest_judgment_debtor(rng: Generator, people: Population) -> Drawn:
    """失信被执行人, published for two years as a rule."""
    events = poisson_events(rng, people, 0.0026, 0.0014, 1.1)
    count = len(events)
    performance = pick(("全部未履行", "部分未履行", "全部已履行"), random_categories(rng, count, (72, 22, 6)))
    court = pick(COURTS, people.district[events.who])
    return known_by_today(
        rng, people, events, {
            "published_on": events.day,
            "filed_on": events.day - rng.integers(60, 400, count),
            "published_until": events.day + 730,
            "performance": performance, "court": court, "basis_court": court,
            "record_state": record_states(rng, count),
        },
    )  # fmt: skip


def serious_dishonesty_list(rng: Generator, people: Population) -> Drawn:
    """严重失信主体名单, three years at most."""
    events = poisson_events(rng, people, 0.0013, 0.0008, 1.1)
    fields = ("市场监管", "税收", "拖欠农民工工资", "安全生产", "食品药品", "其他")
    return known_by_today(
        rng, people, events, {
            "listed_on": events.day, "field": pick(fields, random_categories(rng, len(events), (45, 20, 15, 8, 8, 4))),
            "published_until": events.day + 1095, "record_state": record_states(rng, len(events)),
        },
    )  # fmt: skip


def _abnormal(rng: Generator, people: Population, events: Events, when: str, reasons: tuple[str, ...]) -> Drawn:
    count = len(events)
    removed = add_random_days(rng, events.day, 20, 500)
    open_yet = (removed > people.span.today) | logistic_trials(rng, events.risk, -0.6, 0.5)
    return known_by_today(
        rng, people, events, {
            when: events.day, "removed_on": np.where(open_yet, np.datetime64("NaT"), removed),
            "reason": pick(
                reasons, random_categories(rng, count, (58.0, 4, 38) if len(reasons) == 3 else (56.0, 6, 3, 35))
            ),
            "record_state": record_states(rng, count),
        },
    )  # fmt: skip


def abnormal_operation_list(rng: Generator, people: Population) -> Drawn:
    """经营异常名录: enterprises only."""
    events = poisson_events(rng, people, 0.016, 0, 0.8)
    reasons = (
        "未按规定公示年度报告", "未在责令期限内公示信息", "公示信息隐瞒真实情况弄虚作假", "通过登记的住所无法联系",
    )  # fmt: skip
    return _abnormal(rng, people, events, "listed_on", reasons)


def abnormal_operation_mark(rng: Generator, people: Population) -> Drawn:
    """经营异常状态: individual businesses only; most often a yearly report not sent."""
    reasons = ("未按规定报送年度报告", "年度报告隐瞒真实情况弄虚作假", "经营场所无法联系")
    return _abnormal(rng, people, poisson_events(rng, people, 0, 0.045, 1.1), "marked_on", reasons)
