"""What the compute zone needs to know of the machine it runs on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path

from models.features.duckdb_engine import Limits

BEIJING = timezone(timedelta(hours=8))


@dataclass(frozen=True, slots=True)
class ComputeSettings:
    """Read from ``HAIHE_COMPUTE_…``. An empty ``ray_address`` starts a local cluster for as long as it is needed."""

    shelf: Path
    keys: Path
    ring: Path
    ledger: Path
    mlflow_uri: str
    runs: Path | None = None  # where a worker tells how far its trainings are
    research_ledger: Path | None = None  # read only: what was asked of a worker
    poll: float = 0.3  # seconds between a worker's looks
    today: date | None = None  # a day that stands still: the invented city needs one
    ray_address: str = ""
    ray_token: Path | None = None  # the file, closed to others, with the token of the cluster at the address
    memory: str = "2GB"  # of DuckDB, for each bucket at work
    threads: int = 1
    seconds: float = 600.0  # the longest that the features of one bucket may take

    def day(self) -> date:
        """The day it is: the fixed one, or today in Beijing time."""
        return self.today or datetime.now(UTC).astimezone(BEIJING).date()

    @property
    def limits(self) -> Limits:
        """The bounds on the feature engine."""
        return Limits(self.memory, self.threads, self.seconds)
