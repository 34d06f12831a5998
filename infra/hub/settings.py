"""The settings of the hub."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from infra.home import Home
from infra.sandbox.bubblewrap import Limits, Mode


@dataclass(frozen=True, slots=True)
class HubSettings:
    """Read from ``HAIHE_HUB_…``. ``spawner``: ``sandbox`` on this machine, or ``kubernetes`` on a cluster."""

    home: Path
    run: Path
    port: int = 8000
    mode: str = "root"
    spawner: str = "sandbox"
    today: date | None = None
    workspace_seconds: int = 12 * 3600
    memory_mib: int = 4096
    processes: int = 256
    home_mib: int = 5120
    tmp_mib: int = 512
    kernels: int = 4
    image: str = "haihe/workspace:0.1.0"  # on a cluster

    @property
    def place(self) -> Home:
        """The home the zones live in."""
        return Home(self.home)

    @property
    def limits(self) -> Limits:
        """What one kernel's sandbox may use."""
        return Limits(
            memory=self.memory_mib << 20,
            processes=self.processes,
            home=self.home_mib << 20,
            tmp=self.tmp_mib << 20,
            file_size=min(2 << 30, self.home_mib << 20),
        )

    @property
    def how(self) -> Mode:
        """The mode of sandboxes."""
        return Mode(self.mode)

    def day(self) -> date:
        """The current day: the fixed one, or today."""
        return self.today or date.today()

    @property
    def state(self) -> Path:
        """The folder of the hub's database and its cookie secret."""
        return self.home / "lab" / "hub"
