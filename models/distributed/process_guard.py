"""Lifeline: a small process that outlives a killed driver by a moment, to end what it left of a local Ray.

Ray's raylet dies with its driver, but its agents notice only after a minute, and the folder stays. The driver holds the
write end of this process's standard input: when it closes without a word, the driver was killed.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

WORD = b"over\n"
SECONDS = 8.0  # how long late starters are looked for


@contextmanager
def lifeline(folder: Path) -> Iterator[None]:
    """While the block runs, see to it that a local Ray in ``folder`` does not outlive this process."""
    command = [sys.executable, "-m", "models.distributed.process_guard", str(os.getpgid(0)), str(folder)]
    # In a session of its own: what ends the driver's group (Ctrl-C, a closed terminal) must not end it.
    with subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True) as keeper:
        try:
            yield
        finally:
            with contextlib.suppress(BrokenPipeError):
                keeper.communicate(WORD)


def orphans(group: int) -> list[int]:
    """Ray's processes of this process group whose parent has died."""
    found = []
    for place in Path("/proc").iterdir():
        if place.name.isdigit():
            with contextlib.suppress(OSError, ValueError, IndexError):
                fields = (place / "stat").read_text().rpartition(")")[2].split()
                if fields[1] == "1" and int(fields[2]) == group and b"ray" in (place / "cmdline").read_bytes():
                    found.append(int(place.name))
    return found


def main(group: int, folder: Path) -> None:
    """Wait for the driver's end; when it said nothing, end its orphans and take the folder away."""
    if sys.stdin.buffer.read() == WORD:
        return
    limit = time.monotonic() + SECONDS
    while time.monotonic() < limit:
        for pid in orphans(group):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.1)
    shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]))
