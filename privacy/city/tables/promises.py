"""Commitments, contracts and honours of subjects."""

from __future__ import annotations

import numpy as np

from privacy.city.codes import compact, digits
from privacy.city.events import add_random_days, logistic_trials, poisson_events, random_categories
from privacy.city.population import Population
from privacy.city.tables.records import Drawn, Generator, amounts, known_by_today, where_true
from privacy.city.words import (
    AGENCIES,
    AGENCY_CODES,
    DISTRICTS,
    DOMAIN_SHARE,
    DOMAINS,
    concatenate,
    pick,
    text,
)


def credit_commitment(rng: Generator, people: Population) -> Drawn:
    """信用承诺; a record reaches the platform when an agency has confirmed whether the commitment was kept."""
    events = poisson_events(rng, people, 0.5, 0.4, 0.05)
    count = len(events)
    broken = logistic_trials(rng, events.risk, -3.1, 1.2)
    wholly = broken & (rng.random(count) < 0.45)
    confirmed = add_random_days(rng, events.day, 20, 150)
    kinds = ("审批替代型", "容缺受理型", "证明事项型", "信用修复型", "行业自律型", "主动型", "其他")
    divisions = text(np.array(DISTRICTS, dtype="S6")[people.district[events.who]])
    serial = text(digits((people.first * 7 + np.arange(count)) % 1_000_000, 6))
    agency = people.district[events.who] * len(DOMAINS) + random_categories(rng, count, DOMAIN_SHARE)
    return known_by_today(
        rng, people, events, {
            "commitment_code": concatenate(divisions, text(compact(events.day)), serial),
            "committed_on": events.day, "valid_until": add_random_days(rng, events.day, 180, 1100),
            "confirmed_on": confirmed,
            "commitment_kind": pick(kinds, random_categories(rng, count, (18, 9, 22, 3, 8, 36, 4))),
            "fulfilment": pick(("全部履行", "部分履行", "全部未履行"), broken + wholly.astype(np.int64)),
            "unfulfilled_content": where_true(broken, "虚构：未按承诺完成的事项"),
            "sanction": where_true(broken, "虚构：依法记入信用记录"),
            "agency": pick(AGENCIES, agency), "agency_code": pick(AGENCY_CODES, agency),
            "confirming_agency": pick(AGENCIES, agency), "confirming_agency_code": pick(AGENCY_CODES, agency),
        }, confirmed,
    )  # fmt: skip


def contract_performance(rng: Generator, people: Population) -> Drawn:
    """合同履约, in 万元; a record reaches the platform when the performance has been assessed."""
    events = poisson_events(rng, people, 0.3, 0.03, -0.1, np.minimum(people.employees + 1, 60) ** 0.5 / 3)
    count = len(events)
    begun, lasting = add_random_days(rng, events.day, 3, 30), rng.integers(30, 300, count)
    assessed = events.day + (lasting * rng.uniform(0.3, 1.0, count)).astype(np.int64) + 31
    bad = logistic_trials(rng, events.risk, -2.9, 1.1)
    over = assessed > begun + lasting - 20
    status = np.where(bad, np.where(rng.random(count) < 0.75, 2, 3), np.where(over, 0, 1))
    agency = people.district[events.who] * len(DOMAINS) + 12
    return known_by_today(
        rng, people, events, {
            "signed_on": events.day, "performed_from": begun, "performed_until": begun + lasting,
            "assessed_on": assessed, "amount": amounts(rng, events, 40, 1.4, 60000),
            "contract_status": pick(("已履约", "正常", "违约", "解除"), status),
            "breaching_party": where_true(status == 2, "乙方"),
            "breach": where_true(status == 2, "虚构：未按期交付"),
            "buyer_name": pick(AGENCIES, agency), "buyer_code": pick(AGENCY_CODES, agency),
        }, assessed,
    )  # fmt: skip


def honour(rng: Generator, people: Population) -> Drawn:
    """荣誉和资质: more frequent at low risk."""
    events = poisson_events(rng, people, 0.05, 0.015, -0.8, np.minimum(people.employees + 1, 60) ** 0.4 / 2)
    level = pick(("国家级", "省级", "市级", "区级"), random_categories(rng, len(events), (2, 18, 35, 45)))
    until = events.day + 1096
    return known_by_today(
        rng, people, events, {"awarded_on": events.day, "valid_until": until, "level": level, "year": events.year}
    )
