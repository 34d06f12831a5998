"""A small process that outlives a killed driver for a moment and ends what the driver left of a local Ray.

Ray's raylet dies with its driver, but its agents notice that only after a minute, and its folder stays. The driver
holds
the write end of this process's standard input: when it closes without the end message, the driver was killed.
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

END_MESSAGE = b"over\n"
SEARCH_SECONDS = 8.0  # how long to search for processes that start late


@contextmanager
def process_guard(folder: Path) -> Iterator[None]:
    """While the block runs, make sure that a local Ray in ``folder`` does not outlive this process."""
    command = [sys.executable, "-m", "models.distributed.process_guard", str(os.getpgid(0)), str(folder)]
    # In its own session: a signal to the driver's group (Ctrl-C, a closed terminal) must not end it.
    with subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True) as guard:
        try:
            yield
        finally:
            with contextlib.suppress(BrokenPipeError):
                guard.communicate(END_MESSAGE)


def orphans(group: int) -> list[int]:
    """The process ids of Ray's processes in this process group whose parent has died."""
    return [pid for pid, parent, own, command in _processes() if parent == 1 and own == group and b"ray" in command]


def end_children_with(folder: Path) -> None:
    """Kill this process's own children whose command names a folder: of a Ray that was started by halves."""
    for pid, parent, _, command in _processes():
        if parent == os.getpid() and os.fsencode(folder) in command:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def _processes() -> Iterator[tuple[int, int, int, bytes]]:
    """The id, parent, process group and command of every process; those that end meanwhile are left out."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError, ValueError, IndexError):
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
                process = int(entry.name), int(fields[1]), int(fields[2]), (entry / "cmdline").read_bytes()
                yield process


def main(group: int, folder: Path) -> None:
    """Wait for the end of the driver; when it sent no end message, end its orphans and delete the folder."""
    if sys.stdin.buffer.read() == END_MESSAGE:
        return
    deadline = time.monotonic() + SEARCH_SECONDS
    while time.monotonic() < deadline:
        for pid in orphans(group):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.1)
    shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]))
