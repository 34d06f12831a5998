"""Settings of the compute zone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from credit.settings import current_day
from models.features.duckdb_engine import Limits


@dataclass(frozen=True, slots=True)
class ComputeSettings:
    """Read from ``HAIHE_COMPUTE_…``. With an empty ``ray_address`` a local cluster is started while it is needed."""

    shelf: Path
    keys: Path
    ring: Path
    ledger: Path
    mlflow_uri: str
    partitions: Path | None = None  # compute's own: which subjects are grouped together on which day
    tables: Path | None = None  # compute's own: the units behind every table that was given, and the key of tables
    table_policy: Path | None = None  # the city's own policy of tables, such as one with noise
    runs: Path | None = None  # where a worker writes the progress of its trainings
    research_ledger: Path | None = None  # read only: the training requests
    notebooks: bool = False  # whether the agent also trains the orders of the notebooks
    poll: float = 0.3  # seconds between two reads of the research ledger
    today: date | None = None  # a fixed day, which the invented city needs
    ray_address: str = ""
    ray_token: Path | None = None  # the private file with the token of the cluster at the address
    memory: str = "2GB"  # for DuckDB, per running bucket
    threads: int = 1
    seconds: float = 600.0  # the time limit for the features of one bucket
    outcomes: Path | None = None  # read only: the service's seals of what banks reported of loans
    evaluations: Path | None = None  # a folder with the city's own declarations of public evaluations
    mandate_rules: Path | None = None  # of the platform: the city's own rules for applications for mandates

    def day(self) -> date:
        """The current day: the fixed one, or today in Beijing time."""
        return current_day(self.today)

    @property
    def limits(self) -> Limits:
        """The limits of the feature engine."""
        return Limits(self.memory, self.threads, self.seconds)
