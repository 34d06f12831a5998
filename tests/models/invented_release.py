"""A small invented release on a shelf and an order on it, in the form custody and research leave them."""

from __future__ import annotations

import hashlib
import json
from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from credit.actor import Actor, Role
from credit.keys import SigningKey
from credit.ledger import Ledger
from credit.seal import Kind
from credit.shelf import OpenedSeal, Shelf
from models.dataset.order_sets import AnsweredOrders
from models.order.order import FILE, Order
from models.tables.given_units import GivenUnits
from tests.models import invented

BUCKETS = 4
AS_OF = date(2026, 3, 1)
CUSTODIAN, RESEARCHER, CHECKER = (
    Actor("city", Role.CITY),
    Actor("alice", Role.RESEARCHER),
    Actor("bob", Role.PLATFORM),
)
DATED = {"_happened": "DATE", "_known": "DATE", "_ends": "DATE"}
COLUMNS = {
    "registration": {
        "subject": "VARCHAR",
        "kind": "VARCHAR",
        "registered_on": "DATE",
        "status": "VARCHAR",
        "ended_on": "DATE",
        **DATED,
    },
    "administrative_penalty": {"subject": "VARCHAR", "decided_on": "DATE", "fine": "DOUBLE", **DATED},
    "loan_performance": {"subject": "VARCHAR", "reported_on": "DATE", "overdue_days": "INTEGER", **DATED},
}
USAGE = dict.fromkeys(COLUMNS, "可用于信用评价") | {"loan_performance": "仅用于联合建模"}
SQL = """
SELECT o.subject,
       coalesce(p.penalties, 0) AS penalties,
       p.fines AS fines,
       date_diff('month', r.registered_on, o.as_of) AS age_months
FROM observation o
LEFT JOIN registration r USING (subject)
LEFT JOIN (
    SELECT subject, count(*) AS penalties, sum(fine) AS fines
    FROM administrative_penalty
    WHERE decided_on >= as_of - INTERVAL 12 MONTH
    GROUP BY subject
) p USING (subject)
"""


def declaration(**changes: Any) -> dict[str, Any]:
    """The order's declaration."""
    directions = {"penalties": 1, "fines": 1, "age_months": -1}
    declared = {
        **invented.declaration(),
        "population": "registration",
        "tables": ["registration", "administrative_penalty"],
        "features": [
            {"name": name, "title": name, "direction": sign, "reason": {"zh": name, "en": name}}
            for name, sign in directions.items()
        ],
        "label": {"table": "loan_performance", "when": "overdue_days >= 90", "window_months": 6},
        "observe": {"every_months": 3, "first": "2024-07-01", "last": "2025-07-01"},
        "split": {"out_of_time_from": "2025-04-01", "folds": 3},
        "rules": [],
        "sql": SQL,
    }
    return declared | changes


def release(
    shelf: Shelf, key: SigningKey, *, subjects: int = 900, seed: int = 1, kind: Kind = Kind.RELEASE
) -> OpenedSeal:
    """A release of ``subjects`` enterprises: a latent cause gives both penalties and arrears.

    Practice tables have the same form, under a kind of their own.
    """
    random = np.random.default_rng(seed)
    rows: dict[str, list[tuple[Any, ...]]] = {name: [] for name in COLUMNS}
    months = [date(2023 + month // 12, month % 12 + 1, 1) for month in range(6, 36)]
    for number in range(subjects):
        subject = hashlib.sha256(f"{seed} {number}".encode()).hexdigest()[:32]
        latent = random.normal()
        begun = date(int(np.clip(random.normal(2010 + 3 * latent, 4), 1990, 2023)), 1, 1)
        rows["registration"].append((subject, "enterprise", begun, "存续", None, begun, begun, None))
        for month in months:
            if random.random() < 0.06 * np.exp(0.9 * latent):
                fine = float(random.choice([0.1, 1.0, 5.0]))
                rows["administrative_penalty"].append((subject, month, fine, month, month, None))
        bad = random.random() < 1 / (1 + np.exp(2.2 - 1.5 * latent))
        phase = int(random.integers(0, 9))
        for place, month in enumerate(months):
            overdue = 120 if bad and (place + phase) % 9 < 2 else 0
            rows["loan_performance"].append((subject, month, overdue, month, month, None))
    terms = {
        "purpose": "research",
        "as_of": AS_OF.isoformat(),
        "catalogue": {"name": "city", "version": "0" * 64},
        "buckets": BUCKETS,
        "k": 5,
        "invented": True,
        "tables": {
            name: {"rows": len(rows[name]), "dated": "_happened" in columns, "columns": columns, "usage": USAGE[name]}
            for name, columns in COLUMNS.items()
        },
        "verdict": {},
    }
    if kind is Kind.PRACTICE:  # their seal says how many subjects they describe, here more than they have
        terms["practice"] = {"subjects": 4000, "seed": seed}
    with shelf.staging() as folder:
        for name, columns in COLUMNS.items():
            (folder / name).mkdir()
            for bucket in range(BUCKETS):
                bucket_rows = sorted(row for row in rows[name] if int(row[0][:2], 16) * BUCKETS // 256 == bucket)
                arrays = {
                    column: pa.array([row[place] for row in bucket_rows], TYPES[kind])
                    for place, (column, kind) in enumerate(columns.items())
                }
                pq.write_table(pa.table(arrays), folder / name / f"bucket-{bucket:03d}.parquet")
        seal = shelf.put(folder, kind, parents=(), terms=terms, expires_on=date(2026, 8, 28), by=CUSTODIAN, key=key)
    return shelf.open(seal.id)


def order(shelf: Shelf, key: SigningKey, on: OpenedSeal, **changes: Any) -> OpenedSeal:
    """An order on a release."""
    parsed = Order.parse(declaration(**changes))
    with shelf.staging() as folder:
        (folder / FILE).write_text(json.dumps(parsed.as_json(), ensure_ascii=False, sort_keys=True))
        seal = shelf.put(
            folder,
            Kind.ORDER,
            parents=(on.seal.id,),
            terms={"model": parsed.model},
            expires_on=on.seal.expires_on,
            by=RESEARCHER,
            key=key,
        )
    return shelf.open(seal.id)


TYPES = {"VARCHAR": pa.string(), "DATE": pa.date32(), "DOUBLE": pa.float64(), "INTEGER": pa.int32()}


def answered(ledger: Ledger) -> AnsweredOrders:
    """The orders and tables that were answered by this ledger, whose units are in a folder beside it."""
    return AnsweredOrders(GivenUnits(ledger.path.parent / "tables", ledger))
