"""Measures what neither rlimits nor namespaces limit: the memory of all processes together, and the size of the home.

Memory is the sum of proportional set sizes (PSS, ``/proc/<pid>/smaps_rollup``): shared pages count once. It is measured
every second, so a process can exceed the limit for as long; where there is a cgroup, the kernel enforces the limit.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path


def memory(pids: Iterable[int]) -> int:
    """Bytes that these processes use together; one that has ended uses none."""
    return sum(map(_pss, pids))


def disk_usage(folder: Path, *, most: int) -> int:
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
            continue  # it was deleted meanwhile
    return total


def _pss(pid: int) -> int:
    try:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    except (OSError, ValueError):
        pass
    return 0
