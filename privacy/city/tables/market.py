"""Market data from banks and the tax authority, with the firm's consent: quarterly loan reports, and invoices."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from privacy.city.codes import digits
from privacy.city.events import Array, Events, add_random_days, logistic_trials, poisson_events, random_categories
from privacy.city.population import Population
from privacy.city.tables.records import Columns, Drawn, Generator, filter_events
from privacy.city.words import LENDERS, concatenate, pick, text

SLOPE = 1.9  # log-odds of falling 90 days behind per unit of hidden risk
FIRM, TRADER = -4.78, -5.05  # log-odds of falling 90 days behind in one quarter at risk 0


def loan_performance(rng: Generator, people: Population) -> Drawn:
    """信贷履约: about half of the subjects have a loan; half of the loans 90 days overdue are written off."""
    span, count = people.span, len(people)
    borrower = rng.random(count) < np.where(people.trader, 0.55, 0.57)
    start = np.where(rng.random(count) < 0.6, -1, rng.integers(0, len(span.quarters), count))
    start_day = np.where(start < 0, span.start - rng.integers(5, 700, count),
                    span.quarters[np.maximum(start, 0)] + rng.integers(0, 80, count))  # fmt: skip
    start_day = np.maximum(start_day, people.registered + 60 + rng.integers(0, 300, count))
    size = np.where(people.trader, rng.lognormal(2.6, 0.7, count), rng.lognormal(4.3, 1.0, count))
    loan = np.zeros(count, np.int64)
    running = borrower.copy()
    rows: list[tuple[Array, ...]] = []
    for quarter, first in enumerate(span.quarters):
        day = (first.astype("datetime64[M]") + 3).astype("datetime64[D]") - 1
        if day > span.today:
            break
        who = np.flatnonzero(running & (start_day < day) & (people.ended > day))
        risk = people.risk[who, quarter]
        failed = logistic_trials(rng, np.where(people.trader[who], TRADER, FIRM) + SLOPE * risk, 0, 1)
        late = logistic_trials(rng, risk, -3.0, 1.0)
        overdue = np.where(failed, rng.integers(90, 181, len(who)), np.where(late, rng.integers(1, 90, len(who)), 0))
        balance = size[who] * np.clip(1.15 - (day - start_day[who]).astype(np.int64) / 2600, 0.15, 1)
        rows.append((who, np.full(len(who), day), risk, overdue, balance, start_day[who], loan[who]))
        closed = np.zeros(count, bool)
        closed[who] = (failed & (rng.random(len(who)) < 0.5)) | (rng.random(len(who)) < 0.012)
        running &= ~closed
        again = borrower & ~running & (rng.random(count) < 0.10)
        start_day = np.where(again, day + rng.integers(1, 80, count), start_day)
        loan += again
        running |= again
    who, days, risk, overdue, balance, start_days, loan_of = (np.concatenate(part) for part in zip(*rows, strict=True))
    grade = np.searchsorted([1, 90, 121, 171], overdue, side="right")
    events = Events(who, days, risk)
    number = concatenate("HHDK", text(digits(people.first + who, 9)), text(digits(loan_of, 2)))
    reached = add_random_days(rng, days, 4, 18)
    columns: Columns = {
        "reported_on": days, "reached_on": reached, "lent_on": start_days, "overdue_days": overdue,
        "balance": np.round(np.clip(balance, 0.5, 50000), 2), "loan_number": number,
        "loan_class": pick(("正常", "关注", "次级", "可疑", "损失"), grade),
        "lender": pick(LENDERS, (people.first + who) * 7 % len(LENDERS)),
    }  # fmt: skip
    return filter_events(events, columns, reached <= span.today)


def invoice(rng: Generator, people: Population) -> Drawn:
    """增值税发票 of firms that consent, in yuan: fewer invoices and more voided ones at high risk."""
    consents = rng.random(len(people)) < np.where(people.trader, 0.28, 0.32)
    weight = consents * np.minimum(people.employees + 1, 80) ** 0.35
    sold = poisson_events(rng, people, 3.2, 3.4, -0.3, weight)
    bought = poisson_events(rng, people, 2.2, 2.0, -0.2, weight)
    events = Events(*(np.concatenate([getattr(sold, n), getattr(bought, n)]) for n in ("who", "day", "risk")))
    who, day, risk, count = events.who, events.day, events.risk, len(events)
    out = np.arange(count) < len(sold)
    usual = np.where(people.trader, 8.2, 9.3 + 0.25 * np.log1p(people.employees))
    amount = np.round(np.clip(rng.lognormal(usual[who] - 0.1 * risk, 1.0), 10, 9.9e7), 2)
    other = rng.integers(0, len(people), count)
    other = np.where(other == who, (other + 1) % len(people), other)
    reached = add_random_days(rng, day, 1, 20)
    numbers = 12_000_000_000_000_000 + people.first * 1000 + np.arange(count)
    columns: Columns = {
        "invoice_number": text(digits(numbers, 20)), "issued_on": day, "reached_on": reached, "amount": amount,
        "tax": np.round(
            amount * np.array([0.03, 0.06, 0.09, 0.13])[random_categories(rng, count, (30, 30, 10, 30))], 2
        ),
        "direction": pick(("out", "in"), (~out).astype(np.int64)),
        "void": pa.array(logistic_trials(rng, risk, -3.1, 0.8)), "counterparty": text(people.code[other]),
    }  # fmt: skip
    return filter_events(events, columns, reached <= people.span.today)
