"""How soon a cut ledger is noticed: from the cut to the alarm of a witness that runs its loop."""

from __future__ import annotations

import json
import shutil
import tempfile
import time
from pathlib import Path

from bench.record import record
from credit.actor import Actor, Role
from credit.keys import KeyRing, SigningKey
from credit.ledger import Ledger
from credit.ledger.head import write_head
from credit.ledger.witness import BROKEN, SECONDS, countersign

AGENT, BOB = Actor("agent", Role.SERVICE), Actor("bob", Role.PLATFORM)


def cut_seen_seconds() -> None:
    """Seconds from cutting a ledger, with a head that its own zone signed, to the alarm in the witness's ledger.

    The loop looks every 20 seconds, the longest that an agent waits; the cut comes right after a look.
    """
    folder = Path(tempfile.mkdtemp(prefix="bench-cut-", dir="/dev/shm"))
    try:
        keys = {zone: SigningKey.create(folder, zone) for zone in ("platform", "custody")}
        ring = KeyRing.of(*keys.values())
        ledgers = {zone: Ledger(folder / f"{zone}.jsonl", key, ring, zone) for zone, key in keys.items()}
        platform, custody = ledgers["platform"], ledgers["custody"]
        for number in range(100):
            platform.append("release.made", f"release-{number}", by=BOB)
        countersign(ledgers, custody, folder / "witness", by=AGENT)
        lines = platform.path.read_bytes().splitlines(keepends=True)[:90]
        platform.path.write_bytes(b"".join(lines))
        write_head(platform.path, keys["platform"], 90, json.loads(lines[-1])["id"])
        begin = time.monotonic()
        while not any(entry.verb == BROKEN for entry in custody.about("ledger-platform")):
            time.sleep(SECONDS)
            countersign(ledgers, custody, folder / "witness", by=AGENT)
        record("cut_seen_seconds", time.monotonic() - begin, "s", goal=60, data="a ledger of 100 entries, cut to 90")
    finally:
        shutil.rmtree(folder)
