"""Memory, processes and processors of one workspace bounded by the kernel (cgroup v2), where the machine has it.

https://docs.kernel.org/admin-guide/cgroup-v2.html. Where the controllers are not there (version 1, or no right to
write), :mod:`infra.sandbox.watchdog` measures memory, and rlimits limit the rest.
"""

from __future__ import annotations

import contextlib
import os
import time
from dataclasses import dataclass
from pathlib import Path

from infra.sandbox.bubblewrap import Limits

ROOT = Path("/sys/fs/cgroup")
NEEDED = {"memory", "pids"}
PERIOD = 100_000  # microseconds


@dataclass(frozen=True, slots=True)
class Cgroup:
    """One group; every process started in it stays in it."""

    path: Path

    @classmethod
    def create(cls, name: str, limits: Limits, *, cpus: float = 1.0, root: Path = ROOT) -> Cgroup | None:
        """A bounded group below ``haihe``; None where the machine cannot."""
        if not available(root):
            return None
        parent = root / "haihe"
        try:
            parent.mkdir(exist_ok=True)
            wanted = [f"+{each}" for each in sorted(_controllers(parent) & {"memory", "pids", "cpu"})]
            (parent / "cgroup.subtree_control").write_text(" ".join(wanted))
            group = cls(parent / name)
            group.path.mkdir(exist_ok=True)
            # The tmpfs of a sandbox is charged to it too, so what it may hold is added.
            (group.path / "memory.max").write_text(str(limits.memory + limits.tmp + limits.shm))
            with contextlib.suppress(OSError):  # a machine without swap accounting has no such file
                (group.path / "memory.swap.max").write_text("0")
            (group.path / "pids.max").write_text(str(limits.processes))
            with contextlib.suppress(OSError):
                (group.path / "cpu.max").write_text(f"{int(cpus * PERIOD)} {PERIOD}")
        except OSError:
            return None
        return group

    def join(self) -> None:
        """Put the calling process into the group."""
        (self.path / "cgroup.procs").write_text(str(os.getpid()))

    def memory(self) -> int:
        """Bytes that its processes hold, without what the machine keeps of files for them; 0 where it is not known."""
        used = 0
        with contextlib.suppress(OSError, ValueError):
            for line in (self.path / "memory.stat").read_text().splitlines():
                name, _, value = line.partition(" ")
                used += int(value) if name in ("anon", "shmem") else 0
        return used

    def end(self) -> None:
        """Kill every process in the group and remove it."""
        with contextlib.suppress(OSError):
            (self.path / "cgroup.kill").write_text("1")
        for _ in range(50):
            try:
                self.path.rmdir()
                return
            except FileNotFoundError:
                return
            except OSError:
                time.sleep(0.02)  # its last processes are being reaped


def available(root: Path = ROOT) -> bool:
    """True where version 2 is mounted with the controllers we need and we may make groups."""
    return _controllers(root) >= NEEDED and os.access(root, os.W_OK)


def _controllers(folder: Path) -> set[str]:
    try:
        return set((folder / "cgroup.controllers").read_text().split())
    except OSError:
        return set()
