"""Rows a second through the intake in one process, without the command line and its agents."""

from __future__ import annotations

import statistics
import tempfile
import time
from datetime import date
from pathlib import Path

from bench.record import INVENTED, record
from credit.actor import Actor
from credit.catalogue import Catalogue
from credit.keys import KeyRing, SigningKey
from credit.ledger import Ledger
from privacy import city
from privacy.intake.intake import intake
from privacy.vault import Vault

SUBJECTS, TIMES, TODAY = 20_000, 5, date(2026, 11, 1)


def intake_rows_per_second() -> None:
    """The median of five intakes of one invented city into empty vaults, by the clock; by the processor beside it."""
    with tempfile.TemporaryDirectory() as name:
        raw, seconds, processor, rows = Path(name) / "raw", list[float](), list[float](), 0
        city.build(raw, subjects=SUBJECTS, seed=7, today=TODAY)
        for number in range(TIMES):
            home = Path(name) / str(number)
            key = SigningKey.create(home / "keys", "custody")
            vault, ledger = Vault(home / "vault", b"v" * 32), Ledger(home / "ledger.jsonl", key, KeyRing.of(key))
            begun = time.perf_counter(), time.process_time()
            rows = intake(
                raw,
                catalogue=Catalogue.load("city"),
                vault=vault,
                ledger=ledger,
                by=Actor.parse("city:bench"),
                today=TODAY,
            ).rows_in
            seconds.append(time.perf_counter() - begun[0])
            processor.append(time.process_time() - begun[1])
    more = {"rows": rows, "rows_per_processor_second": round(rows / statistics.median(processor))}
    data = f"{INVENTED}, {SUBJECTS} subjects"
    record("intake_rows_per_second", rows / statistics.median(seconds), "rows/s", data=data, more=more)
