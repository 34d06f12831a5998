"""Rows and a table of a project, recorded as compute records them."""

from __future__ import annotations

from datetime import date
from typing import Any

from credit.actor import Actor, Role
from credit.canonical import digest
from credit.gate import Finding, Outcome, Verdict
from credit.keys import SigningKey
from credit.ledger import Ledger
from credit.messages import Text
from credit.seal import Kind
from credit.shelf import Shelf

ALICE = Actor("alice", Role.RESEARCHER)
TABLE_SQL = "SELECT district, COUNT(*) AS count FROM registration GROUP BY ALL"
ROWS_SQL = "SELECT subject, COUNT(*) AS penalties FROM administrative_penalty GROUP BY subject"
EXPIRES = date(2027, 4, 30)


def some_answers(ledger: Ledger, shelf: Shelf, key: SigningKey, project: str = "xiaowei") -> None:
    """Rows that were swept since, and a table that is on the shelf."""
    request: dict[str, Any] = {"kind": "enterprise", "sql": ROWS_SQL, "as_of": ["2026-07-01", "2026-10-01"]}
    request |= {"population": "penalties > 0", "label": "defaulted", "sample": None}
    verdict = _verdict("rows", "size", Text.of("tables-gate.suppressed"))
    details = {"order": "order-r", "project": project, "request": request, "rows": 5330, "verdict": verdict}
    ledger.append("rows.made", f"rows-{digest(b'swept')}", by=ALICE, details=details)
    verdict = _verdict("table", "differencing", Text.of("tables-gate.differencing", isolating=0, earlier=3))
    with shelf.staging() as folder:
        (folder / "table.parquet").write_bytes(b"")
        terms = {"project": project, "verdict": verdict}
        seal = shelf.put(folder, Kind.TABLE, parents=(), terms=terms, expires_on=EXPIRES, by=ALICE, key=key)
    request = {"kind": "enterprise", "sql": TABLE_SQL, "as_of": "2026-10-01", "release": "release-1"}
    details = {"order": "order-t", "project": project, "request": request, "rows": 16, "verdict": verdict}
    ledger.append("table.made", seal.id, by=ALICE, details=details)
    ledger.append("table.made", f"table-{digest(b'of others')}", by=ALICE, details=details | {"project": "geti"})


def _verdict(gate: str, check: str, why: Text) -> dict[str, Any]:
    return Verdict(gate, (Finding.of(check, Outcome.PASS, why),), {"units_at_least": 10}).as_json()
