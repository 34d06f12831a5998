"""What is done to a running service: its disk is full or slow, its clock jumps, a worker is killed.

A full disk needs root, for a small tmpfs; a slow disk and a clock that jumps need a C compiler (`disturbances.c`). What
a machine lacks is left out, and the figures say so.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import struct
import subprocess
from collections.abc import Iterator
from pathlib import Path

LEDGER_MIB = 512


class Disturbances:
    """The means of one run, in a folder: what the service is started with, and what disturbs it then."""

    def __init__(self, folder: Path) -> None:
        """Prepare what this machine allows; `lacking` names the rest."""
        self.folder, self.lacking = folder, [] if os.getuid() == 0 else ["full disk"]
        folder.mkdir(parents=True, exist_ok=True)
        self._slow, self._clock, self._filler = folder / "slow", folder / "clock", folder / "disk" / "filler"
        self._slow.unlink(missing_ok=True)
        self._set_clock(0)
        self.environment: dict[str, str] = {}
        compiler, library = shutil.which("cc"), folder / "disturbances.so"
        if compiler is None:
            self.lacking += ["slow disk", "clock"]
            return
        source = Path(__file__).with_suffix(".c")
        subprocess.run([compiler, "-shared", "-fPIC", "-o", str(library), str(source), "-ldl"], check=True)
        self.environment = {
            "LD_PRELOAD": str(library), "SLOW_DISK_FILE": str(self._slow), "CLOCK_FILE": str(self._clock),
        }  # fmt: skip

    @contextlib.contextmanager
    def disk(self) -> Iterator[Path]:
        """The folder of the ledger: a small disk of its own where that is allowed."""
        place = self.folder / "disk"
        place.mkdir(exist_ok=True)
        if "full disk" in self.lacking:
            yield place
            return
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={LEDGER_MIB}m", "tmpfs", str(place)], check=True)
        try:
            yield place
        finally:
            subprocess.run(["umount", "-l", str(place)], check=True)

    @contextlib.contextmanager
    def full_disk(self) -> Iterator[None]:
        """No byte is left where the ledger is."""
        with self._filler.open("wb", buffering=0) as stream, contextlib.suppress(OSError):
            while stream.write(bytes(1 << 16)):
                pass
        try:
            yield
        finally:
            self._filler.unlink()

    @contextlib.contextmanager
    def slow_disk(self) -> Iterator[None]:
        """Whatever is made durable takes a fifth of a second longer."""
        self._slow.touch()
        try:
            yield
        finally:
            self._slow.unlink()

    @contextlib.contextmanager
    def clock(self, seconds: int) -> Iterator[None]:
        """The service's clock has jumped by so many seconds."""
        self._set_clock(seconds)
        try:
            yield
        finally:
            self._set_clock(0)

    def _set_clock(self, seconds: int) -> None:
        """Write in place: the service maps the file."""
        with self._clock.open("r+b" if self._clock.exists() else "wb", buffering=0) as stream:
            stream.write(struct.pack("<q", seconds))


def kill_worker(pid: int, number: int) -> None:
    """kill -9 one of the processes that this one started."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    if children:
        os.kill(int(children[number % len(children)]), signal.SIGKILL)


def tree_rss_mib(pid: int) -> float:
    """Resident memory of a process and of all that it started."""
    with contextlib.suppress(OSError):
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        own = pages * os.sysconf("SC_PAGE_SIZE") / (1 << 20)
        return own + sum(tree_rss_mib(int(child)) for child in children)
    return 0.0
