"""What an agent of any zone is given: read from ``HAIHE_<ZONE>_…``."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from credit.settings import current_day


@dataclass(frozen=True, slots=True)
class AgentSettings:
    """The folders an agent needs. It writes into its ledger, ``runs/<zone>`` and the shelf alone."""

    shelf: Path
    keys: Path  # this zone's private key and secrets
    ring: Path
    ledgers: Path  # the folder of every zone's ledger; read only, except its own
    runs: Path  # the folder in which each zone has one for its progress
    requests: Path  # the private arguments of requests, read only
    poll: float = 0.1  # seconds between two reads of the ledgers
    witness: float = 20.0  # seconds between two counter-signatures of the others' heads
    tasks: int = 2  # requests carried out at the same time
    today: date | None = None  # a fixed day, which the invented city needs

    def day(self) -> date:
        """The fixed day, or today in Beijing time."""
        return current_day(self.today)
