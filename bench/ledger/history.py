"""Which version was in production at a time, from a platform's ledger of a million entries."""

from __future__ import annotations

import random
import statistics
import time
from datetime import UTC, datetime

from bench.ledger.ten_million import BANK, DETAILS, filled
from bench.record import record
from credit.champion_history import champion_at, champion_changes
from credit.ledger import Ledger

ENTRIES, PROMOTIONS = 1_000_000, 400
DATA = "a million entries of 778 bytes and 400 promotions of four models"


def history_ms() -> None:
    """Milliseconds from a reader that has read nothing to the champion at a time: median of 21 times."""
    times, processor, random_hours = [], [], random.Random(7)
    with filled(ENTRIES) as ledger:
        for number in range(PROMOTIONS):
            details = {"model": f"model_{number % 4}", "verdict": {"outcome": "pass"}}
            ledger.append("promotion.granted", f"version-{number:064x}", by=BANK, details=details)
            ledger.append_many([("score.answered", f"later-{number}", BANK, DETAILS)] * 250)
        ledger.seal_closed()
        for _ in range(21):
            reader = Ledger(ledger.path, None, ledger.ring, ledger.zone)
            begin, worked = time.perf_counter(), time.process_time()
            changes = champion_changes(reader, f"model_{random_hours.randrange(4)}")
            assert champion_at(changes, datetime.now(UTC)) == changes[-1]
            times.append((time.perf_counter() - begin) * 1000)
            processor.append((time.process_time() - worked) * 1000)
        assert len(changes) == PROMOTIONS // 4
    more = {"processor_ms": round(statistics.median(processor), 3)}  # also on a busy machine
    record("history_ms", statistics.median(times), "ms", goal=100, data=DATA, more=more)
