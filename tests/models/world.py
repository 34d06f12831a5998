"""A tiny release written by hand in the form custody gives it, and an order on it: what tests of features stand on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from credit.actor import Actor, Role
from credit.keys import SigningKey
from credit.seal import Kind
from credit.shelf import OpenedSeal, Shelf
from models.order.order import Order

CITY, ALICE, BOB = Actor("city", Role.CITY), Actor("alice", Role.RESEARCHER), Actor("bob", Role.PLATFORM)
AS_OF = date(2026, 4, 1)
TIMES = {"_happened": "DATE", "_known": "DATE", "_ends": "DATE"}
COLUMNS: dict[str, dict[str, str]] = {
    "registration": {
        "kind": "VARCHAR",
        "district": "VARCHAR",
        "registered_on": "DATE",
        "status": "VARCHAR",
        "ended_on": "DATE",
        **TIMES,
    },
    "penalty": {"fine": "DOUBLE", "severity": "VARCHAR", "decided_on": "DATE", "lifted_on": "DATE", **TIMES},
    "loan": {"reported_on": "DATE", "overdue_days": "BIGINT", **TIMES},
    "list_of_today": {"reason": "VARCHAR"},
}
USAGE = {"loan": "仅用于联合建模"}  # the usage rights of the tables; the others are for credit evaluation
ARROW = {
    "VARCHAR": pa.string(),
    "DATE": pa.date32(),
    "DOUBLE": pa.float64(),
    "BIGINT": pa.int64(),
    "BOOLEAN": pa.bool_(),
}
SQL = """
SELECT o.subject,
  date_diff('year', r.registered_on, o.as_of) AS age,
  coalesce(p.penalties, 0) AS penalties, p.fines AS fines, p.standing AS standing, p.serious AS serious,
  l.worst AS worst, l.reports AS reports
FROM observation o
LEFT JOIN registration r USING (subject)
LEFT JOIN (
  SELECT subject, count(*) AS penalties, sum(fine) AS fines, count(*) FILTER (WHERE lifted_on IS NULL) AS standing,
    max(CASE WHEN severity = 'serious' THEN 1 ELSE 0 END) AS serious
  FROM penalty WHERE decided_on >= as_of - INTERVAL 12 MONTH GROUP BY subject
) p USING (subject)
LEFT JOIN (
  SELECT subject, max(overdue_days) AS worst, count(*) AS reports FROM loan GROUP BY subject
) l ON l.subject = o.subject
"""
NAMES = ("age", "penalties", "fines", "standing", "serious", "worst", "reports")


def declaration(**changes: Any) -> dict[str, Any]:
    """An order on the tiny release, as plain values."""
    declared: dict[str, Any] = {
        "model": "tiny",
        "title": "小模型",
        "subject_kind": "enterprise",
        "population": "registration",
        "tables": ["registration", "penalty", "loan"],
        "features": [
            {
                "name": name,
                "title": f"特征 {name}",
                "direction": 0,
                "reason": {"zh": f"{name} 说明", "en": f"about {name}"},
            }
            for name in NAMES
        ],
        "label": {"table": "loan", "when": "overdue_days >= 90", "window_months": 6},
        "observe": {"every_months": 3, "first": "2025-01-01", "last": "2025-10-01"},
        "split": {"out_of_time_from": None, "folds": 3},
        "training": {"trials": 1, "seed": 7, "minimum_leaf": 20, "space": {"rounds": [40, 100]}},
        "scale": {"points": 760, "odds": 30, "double_odds": 40, "minimum": 0, "maximum": 1000},
        "grades": [["A", 800], ["B", 700], ["C", 560], ["D", 0]],
        "rules": [{"feature": "worst", "at_least": 90, "grade": "D", "reason": {"zh": "逾期", "en": "overdue"}}],
        "sql": SQL,
    }
    return declared | changes


def order(**changes: Any) -> Order:
    """The order."""
    return Order.parse(declaration(**changes))


def terms(
    *, buckets: int = 1, as_of: date = AS_OF, purpose: str = "research", usage: Mapping[str, str] = USAGE
) -> dict[str, Any]:
    """What the seal of the tiny release says."""
    tables = {
        name: {
            "rows": 0,
            "dated": "_happened" in columns,
            "columns": {"subject": "VARCHAR", **columns},
            "usage": usage.get(name, "可用于信用评价"),
        }
        for name, columns in COLUMNS.items()
    }
    return {"purpose": purpose, "as_of": as_of.isoformat(), "buckets": buckets, "tables": tables, "invented": True}


def write(folder: Path, rows: Mapping[str, Sequence[Mapping[str, Any]]], buckets: int) -> None:
    """Write the Parquet files of a release; rows name only what they have."""
    for name, columns in COLUMNS.items():
        (folder / name).mkdir(parents=True)
        schema = pa.schema([("subject", pa.string()), *((column, ARROW[kind]) for column, kind in columns.items())])
        for bucket in range(buckets):
            bucket_rows = [row for row in rows.get(name, ()) if int(row["subject"][:2], 16) * buckets // 256 == bucket]
            table = pa.Table.from_pylist(sorted(bucket_rows, key=str), schema=schema)
            pq.write_table(table, folder / name / f"bucket-{bucket:03d}.parquet")


def release(
    shelf: Shelf,
    key: SigningKey,
    rows: Mapping[str, Sequence[Mapping[str, Any]]],
    *,
    buckets: int = 1,
    as_of: date = AS_OF,
    purpose: str = "research",
    usage: Mapping[str, str] = USAGE,
) -> OpenedSeal:
    """The tiny release on a real shelf, signed by custody's ``key``."""
    release_terms = terms(buckets=buckets, as_of=as_of, purpose=purpose, usage=usage)
    with shelf.staging() as folder:
        write(folder, rows, buckets)
        seal = shelf.put(
            folder,
            Kind.RELEASE,
            parents=(),
            terms=release_terms,
            expires_on=as_of + timedelta(days=180),
            by=CITY,
            key=key,
        )
    return shelf.open(seal.id)


def subject(number: int) -> str:
    """A pseudonym; neighbouring numbers live in different buckets."""
    return f"{number * 37 % 256:02x}{number:030x}"


def firm(who: str, registered: date = date(2015, 1, 1), **more: Any) -> dict[str, Any]:
    """A row of the register."""
    row = {"subject": who, "kind": "enterprise", "registered_on": registered, "status": "存续"}
    row |= {"district": f"12010{int(who[-1], 16) % 3 + 1}", "_happened": registered}
    return row | {"_known": registered} | more


def penalty(who: str, day: date, *, fine: float = 1.0, known: date | None = None, **more: Any) -> dict[str, Any]:
    """A penalty."""
    row = {"subject": who, "fine": fine, "severity": "general", "decided_on": day, "_happened": day}
    return row | {"_known": known or day} | more


def loan(who: str, day: date, overdue: int | None, known: date | None = None) -> dict[str, Any]:
    """A loan report."""
    return {"subject": who, "reported_on": day, "overdue_days": overdue, "_happened": day, "_known": known or day}
