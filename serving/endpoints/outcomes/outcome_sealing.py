"""Seals the outcomes that banks reported, as JSON lines under the pseudonyms of scoring, without a bank's name.

The service writes these seals into a folder of its own, and compute alone reads it. The events of a seal are those
whose ledger entry is durable. A process that is killed after sealing seals the same events again: each has an id, by
which compute counts it once.
"""

from __future__ import annotations

import asyncio
import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from credit.keys import SigningKey
from credit.seal import Kind, Seal
from credit.shelf import Shelf
from serving.core.request import SERVICE
from serving.core.service import ScoringService
from serving.endpoints.outcomes.outcome_rules import OLDEST_DAYS
from serving.endpoints.outcomes.outcome_store import mark_sealed, unsealed
from serving.settings import ServiceSettings

FILE, FORM, MOST = "outcomes.jsonl", 1, 100_000  # events in one seal
SEALED = "outcomes.sealed"  # the ledger verb


def outcomes_folder(settings: ServiceSettings) -> Path:
    """The folder of these seals, beside the service's store."""
    return settings.access.with_name("outcomes")


async def seal_outcomes(service: ScoringService, shelf: Shelf, key: SigningKey) -> Seal | None:
    """Seal what was reported since the last seal; None when there is nothing. Raises Broken, StoreUnavailable."""
    rows = await asyncio.to_thread(unsealed, service.store, MOST)
    if not rows:
        return None
    seal = await asyncio.to_thread(_put, shelf, key, rows, service.settings.day())
    details = {"rows": seal.terms["rows"], "banks": seal.terms["banks"]}
    await service.ledger_writer.record(SEALED, seal.id, by=SERVICE, details=details)
    await asyncio.to_thread(mark_sealed, service.store, [str(row["id"]) for row in rows], seal.id)
    return seal


def _put(shelf: Shelf, key: SigningKey, rows: list[dict[str, Any]], today: date) -> Seal:
    banks = {name: f"bank-{place}" for place, name in enumerate(sorted({str(row["bank"]) for row in rows}))}
    lines = [json.dumps({**row, "bank": banks[str(row["bank"])]}, sort_keys=True) + "\n" for row in rows]
    days = sorted(str(row["happened_on"]) for row in rows)
    terms = {"form": FORM, "purpose": "scoring", "rows": len(rows), "banks": len(banks), "first": days[0],
             "last": days[-1]}  # fmt: skip
    with shelf.staging() as folder:
        (folder / FILE).write_bytes("".join(lines).encode())
        return shelf.put(
            folder, Kind.OUTCOMES, parents=(), terms=terms, by=SERVICE, key=key,
            expires_on=today + timedelta(days=OLDEST_DAYS),
        )  # fmt: skip
