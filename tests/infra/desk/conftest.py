"""The ledgers of a small home: of the front desk and of custody, each signed by its own zone."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from credit.actor import Actor
from credit.keys import KeyRing, SigningKey
from credit.ledger import Ledger

CITY = Actor.parse("city:registry")


@dataclass(frozen=True, slots=True)
class Ledgers:
    front: Ledger
    custody: Ledger

    def brings_in(self, *digests: str) -> None:
        files = {f"{number}.csv": each for number, each in enumerate(digests)}
        self.custody.append("intake.accepted", "intake-x", by=CITY, details={"files": files})


@pytest.fixture
def ledgers(tmp_path: Path) -> Ledgers:
    keys = {zone: SigningKey.create(tmp_path / "keys" / zone, zone) for zone in ("desk", "custody")}
    ring = KeyRing.of(*keys.values())
    return Ledgers(*(Ledger(tmp_path / f"{zone}.jsonl", key, ring, zone) for zone, key in keys.items()))
