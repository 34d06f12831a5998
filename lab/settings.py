"""What the research zone needs to know of the machine it runs on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path

BEIJING = timezone(timedelta(hours=8))


@dataclass(frozen=True, slots=True)
class ResearchSettings:
    """Read from ``HAIHE_RESEARCH_…``. Every path is ours alone: no workspace has any of them but its own home."""

    shelf: Path
    keys: Path
    ring: Path
    ledger: Path
    accounts: Path  # who may log in: argon2 hashes, mode 0600
    homes: Path  # <homes>/<project>/<user>: what a workspace sees as its home
    airlock: Path  # what was asked to leave, content-addressed, and the code of executed cells
    run: Path  # unix sockets and what lives as long as the stack
    outbox: Path  # sealed parcels: the way out
    compute_ledger: Path  # read only: what became of orders
    runs: Path  # read only: how far trainings are, told by the compute zone
    session: int = 12 * 3600  # seconds a workspace lives at most
    today: date | None = None  # a day that stands still: the invented city needs one

    def day(self) -> date:
        """The day it is: the fixed one, or today in Beijing time."""
        return self.today or datetime.now(UTC).astimezone(BEIJING).date()


@dataclass(frozen=True, slots=True)
class Workspace:
    """Who is at a socket: the socket is the identity (工作区). ``name`` is ``<user>--<project>``."""

    user: str
    project: str

    @property
    def name(self) -> str:
        """The workspace's name, and its folder's."""
        return f"{self.user}--{self.project}"
