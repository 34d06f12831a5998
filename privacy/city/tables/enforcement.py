"""Decisions of agencies about a subject: licences (行政许可) and penalties (行政处罚)."""

from __future__ import annotations

from typing import Any

import numpy as np

from privacy.city.events import Events, add_random_days, logistic_trials, poisson_events, random_categories
from privacy.city.population import Population
from privacy.city.tables.records import STATES, Drawn, Generator, known_by_today
from privacy.city.words import (
    AGENCIES,
    AGENCY_CODES,
    COURTS,
    DOMAIN_SHARE,
    DOMAINS,
    numbered,
    pick,
)

ORDER_36 = np.datetime64("2026-04-01")  # 信用修复管理办法 (NDRC Order 36 of 2025) in force; Order 58 of 2023 before it


def _published(decided: Any, severity: Any) -> Any:
    """Days of publication by severity (0 minor, 1 general, 2 serious): 3 months, 1 or 3 years since Order 36."""
    return np.where(decided >= ORDER_36, np.array([90, 365, 1095])[severity], np.array([365, 1095, 1095])[severity])


def administrative_licence(rng: Generator, people: Population) -> Drawn:
    """行政许可: active firms apply for licences, slightly less often at high risk."""
    events = poisson_events(rng, people, 0.5, 0.32, -0.1)
    until = add_random_days(rng, events.day, 360, 1830)
    kind = pick(
        ("普通", "特许", "认可", "核准", "登记", "其他"), random_categories(rng, len(events), (55, 2, 6, 14, 20, 3))
    )
    state = pick(("1", "2"), (until < people.span.today).astype(np.int64))
    return known_by_today(
        rng, people, events, {"licensed_on": events.day, "valid_from": events.day, "valid_until": until,
                              "licence_kind": kind, "licence_state": state},
    )  # fmt: skip


def administrative_coercion(rng: Generator, people: Population) -> Drawn:
    """行政强制: rarer than penalties, and more frequent at high risk."""
    events = poisson_events(rng, people, 0.008, 0.005, 1.0)
    count = len(events)
    kinds = ("查封场所、设施或者财物", "扣押财物", "冻结存款、汇款", "加处罚款或者滞纳金", "代履行", "其他强制执行方式")
    domain = random_categories(rng, count, DOMAIN_SHARE)
    agency = people.district[events.who] * len(DOMAINS) + domain
    numbers = people.first * 40 + np.arange(count)
    heads = tuple(f"津虚{short}强" for _, short in DOMAINS.values())
    return known_by_today(
        rng, people, events, {
            "decided_on": events.day, "lifted_on": add_random_days(rng, events.day, 7, 60),
            "document_number": numbered(pick(heads, domain), events.year, numbers, "号"),
            "coercion_kind": pick(kinds, random_categories(rng, count, (30, 25, 8, 25, 7, 5))),
            "agency_domain": pick(tuple(DOMAINS), domain), "agency": pick(AGENCIES, agency),
            "agency_code": pick(AGENCY_CODES, agency),
            "record_state": pick(("normal", "disputed", "revoked"), random_categories(rng, count, STATES)),
        },
    )  # fmt: skip


def criminal_judgment(rng: Generator, people: Population) -> Drawn:
    """刑事裁判 against units (单位犯罪): very rare."""
    events = poisson_events(rng, people, 0.0006, 0.0002, 1.2)
    count = len(events)
    names = ("虚开增值税专用发票罪", "污染环境罪", "拒不支付劳动报酬罪", "生产、销售伪劣产品罪")
    fine = np.round(np.clip(rng.lognormal(np.log(20), 0.8, count), 1, 5000), 2)
    return known_by_today(
        rng, people, events, {
            "decided_on": events.day,
            "case_number": numbered("津虚刑", events.year, people.first * 40 + np.arange(count), "号"),
            "offence": pick(names, random_categories(rng, count, (50, 20, 20, 10))),
            "fine": fine, "agency": pick(COURTS, people.district[events.who]),
            "record_state": pick(("normal", "disputed", "revoked"), random_categories(rng, count, STATES)),
        },
    )  # fmt: skip


def administrative_penalty(rng: Generator, people: Population, extra: Events | None = None) -> Drawn:
    """行政处罚. ``extra`` are penalties for the demonstration: one general, then minor ones, repairable at once."""
    events = poisson_events(rng, people, 0.084, 0.062, 1.1)
    added = 0
    if extra is not None:
        added = len(extra)
        parts = zip((events.who, events.day, events.risk), (extra.who, extra.day, extra.risk), strict=True)
        events = Events(*[np.concatenate(part) for part in parts])
    count = len(events)
    old = np.arange(count) < count - added
    severity = random_categories(rng, count, (46, 46, 8)) + 0
    severity = np.where(old & (severity == 1) & logistic_trials(rng, events.risk, -3.4, 0.6), 2, severity)
    severity = np.where(old, severity, 1)
    severity[count - added + 1 :] = 0
    kind = np.where(severity == 0, random_categories(rng, count, (60, 25, 15)), 0)
    names = ("警告", "罚款", "通报批评", "没收违法所得", "没收非法财物", "责令停产停业", "吊销许可证件", "限制从业")
    kind = np.where(severity == 1, np.array([1, 3, 4])[random_categories(rng, count, (86, 8, 6))], kind)
    kind = np.where(severity == 2, np.array([1, 5, 6, 7])[random_categories(rng, count, (62, 18, 14, 6))], kind)
    scale = np.array([0.06, 0.6, 8.0])[severity] * np.where(people.trader[events.who], 0.4, 1)
    fine = np.round(np.clip(rng.lognormal(np.log(scale), 0.9), 0.005, 900), 6)
    confiscated = np.round(np.clip(rng.lognormal(np.log(scale) - 0.5, 0.9), 0.005, 900), 6)
    domain = random_categories(rng, count, DOMAIN_SHARE)
    agency = people.district[events.who] * len(DOMAINS) + domain
    until = events.day + _published(events.day, severity)
    numbers = people.first * 40 + np.arange(count)
    heads = tuple(f"津虚{short}罚" for _, short in DOMAINS.values())
    return known_by_today(
        rng, people, events, {
            "decided_on": events.day,
            "document_number": numbered(pick(heads, domain), events.year, numbers, "号"),
            "penalty_kind": pick(names, kind),
            "fine": np.where((kind == 1) | (kind == 5), fine, np.nan),
            "confiscated": np.where((kind == 3) | (kind == 4), confiscated, np.nan),
            "severity": pick(("minor", "general", "serious"), severity),
            "agency_domain": pick(tuple(DOMAINS), domain),
            "agency": pick(AGENCIES, agency),
            "agency_code": pick(AGENCY_CODES, agency),
            "valid_until": until,
            "published_until": until,
            "record_state": pick(
                ("normal", "disputed", "revoked"), np.where(old, random_categories(rng, count, STATES), 0)
            ),
        },
    )  # fmt: skip
