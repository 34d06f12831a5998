"""What neither rlimits nor namespaces bound, bounded by looking: the memory of all processes together, and the home.

Memory is the sum of proportional set sizes (PSS, ``/proc/<pid>/smaps_rollup``): shared pages count once. It is looked
at every second, so it is a limit for the honest and a brake for the others; where there is a cgroup, the kernel holds
the limit itself.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path


def memory(pids: Iterable[int]) -> int:
    """Bytes that these processes hold together; one that has ended holds nothing."""
    return sum(map(_pss, pids))


def held(folder: Path, *, most: int) -> int:
    """Bytes on disk below a folder, counted until they exceed ``most``; links are not followed."""
    total, waiting = 0, [folder]
    while waiting and total <= most:
        try:
            with os.scandir(waiting.pop()) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(Path(entry.path))
                    else:
                        total += entry.stat(follow_symlinks=False).st_blocks * 512
        except OSError:
            continue  # it was taken away while we looked
    return total


def _pss(pid: int) -> int:
    try:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    except (OSError, ValueError):
        pass
    return 0
