"""Settings of the research zone, read from ``HAIHE_RESEARCH_*``, and the identity of a workspace."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from credit.settings import current_day

KEPT_FILE = 16 << 20  # bytes: up to here a file of a home is kept with the record of its opening, and saved
PACKED = ".zlib"  # the ending of one that is kept packed, after the digest of what it holds


@dataclass(frozen=True, slots=True)
class ResearchSettings:
    """Read from ``HAIHE_RESEARCH_…``. A workspace can reach none of these paths except its own home."""

    shelf: Path
    keys: Path
    ring: Path
    ledger: Path
    accounts_ledger: Path  # read only: who may sign in, in which roles
    homes: Path  # <homes>/<project>/<user>: the home of a workspace
    airlock: Path  # submitted files, content-addressed, and the code of executed cells
    run: Path  # Unix sockets and other files that exist while the stack runs
    outbox: Path  # sealed parcels, ready to be taken out
    compute_ledger: Path  # read only: results of orders
    runs: Path  # read only: progress of trainings, written by the compute zone
    desk: Path | None = None  # the front desk's socket, through which the console changes what is not its own
    session: int = 12 * 3600  # maximum seconds of a workspace
    today: date | None = None  # a fixed day, which the invented city needs

    def rows_folder(self, project: str) -> Path:
        """The folder of a project's rows, which its workspaces see as ``/data/rows``."""
        return self.homes.parent / "rows" / project

    def day(self) -> date:
        """The fixed day, or today in Beijing time."""
        return current_day(self.today)


@dataclass(frozen=True, slots=True)
class Workspace:
    """The workspace (工作区) behind a socket: a user and a project. ``name`` is ``<user>--<project>``."""

    user: str
    project: str

    @property
    def name(self) -> str:
        """The name of the workspace and of its folder."""
        return f"{self.user}--{self.project}"
