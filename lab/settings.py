"""Settings of the research zone, read from ``HAIHE_RESEARCH_*``, and the identity of a workspace."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path

BEIJING = timezone(timedelta(hours=8))


@dataclass(frozen=True, slots=True)
class ResearchSettings:
    """Read from ``HAIHE_RESEARCH_…``. A workspace can reach none of these paths except its own home."""

    shelf: Path
    keys: Path
    ring: Path
    ledger: Path
    accounts: Path  # who may log in: argon2 hashes, mode 0600
    homes: Path  # <homes>/<project>/<user>: the home of a workspace
    airlock: Path  # submitted files, content-addressed, and the code of executed cells
    run: Path  # Unix sockets and other files that exist while the stack runs
    outbox: Path  # sealed parcels, ready to be taken out
    compute_ledger: Path  # read only: results of orders
    runs: Path  # read only: progress of trainings, written by the compute zone
    session: int = 12 * 3600  # maximum seconds of a workspace
    today: date | None = None  # a fixed day, which the invented city needs

    def day(self) -> date:
        """The fixed day, or today in Beijing time."""
        return self.today or datetime.now(UTC).astimezone(BEIJING).date()


@dataclass(frozen=True, slots=True)
class Workspace:
    """The workspace (工作区) behind a socket: a user and a project. ``name`` is ``<user>--<project>``."""

    user: str
    project: str

    @property
    def name(self) -> str:
        """The name of the workspace and of its folder."""
        return f"{self.user}--{self.project}"
