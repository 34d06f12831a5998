"""What a sandbox sees of the machine in ``/proc``: its own processes, and a few files that do not change.

Locks, pressure, memory, interrupts, open files and the like are the same for everyone on a machine: one project could
send to another through them. So every entry of the machine's ``/proc`` that is not listed here is covered, also one
that a new kernel adds; those that libraries read are copies with values of the sandbox's own, made when it starts.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

PROC = Path("/proc")
KEPT = {"self", "thread-self", "mounts", "net"}  # of the process that looks; `mounts` and `net` are links to them
COPIED = ("cpuinfo", "filesystems", "version")  # the same at every moment
SYSCTL = (
    "kernel/ostype",
    "kernel/osrelease",
    "kernel/version",
    "kernel/cap_last_cap",
    "kernel/ngroups_max",
    "kernel/overflowuid",
    "kernel/overflowgid",
    "kernel/pid_max",
    "kernel/threads-max",
    "vm/overcommit_memory",
    "vm/max_map_count",
    "fs/file-max",
    "fs/nr_open",
    "fs/pipe-max-size",
    "net/core/somaxconn",
)
MOST = 50_000  # bytes of one file


def own_files(memory: int) -> dict[str, bytes]:
    """The files that replace the machine's; ``memory`` is what the sandbox may use, in bytes."""
    total = memory >> 10
    zeros = ("Buffers", "Cached", "SwapCached", "Active", "Inactive", "SwapTotal", "SwapFree", "Shmem", "Slab")
    meminfo = [f"{name}: {total} kB" for name in ("MemTotal", "MemFree", "MemAvailable")]
    processors = "\n".join(f"cpu{number} 0 0 0 0 0 0 0 0 0 0" for number in range(os.cpu_count() or 1))
    files = {
        "meminfo": "\n".join([*meminfo, *(f"{name}: 0 kB" for name in zeros), ""]),
        "stat": f"cpu 0 0 0 0 0 0 0 0 0 0\n{processors}\nctxt 0\nbtime {_boot_time()}\nprocesses 1\nprocs_running 1\n",
        "uptime": "1.00 1.00\n",
        "loadavg": "0.00 0.00 0.00 1/1 1\n",
        **{name: _start_of(PROC / name) for name in COPIED},
        **{f"sys/{name}": _start_of(PROC / "sys" / name) for name in SYSCTL},
        "sys/kernel/hostname": "workspace\n",
    }
    return {f"/proc/{name}": text.encode()[:MOST] for name, text in files.items() if text}


def covers(replaced: set[str]) -> Iterator[tuple[str, str]]:
    """What covers each entry that is neither kept nor replaced: an empty folder, or a file that opens for no one."""
    for entry in sorted(os.scandir(PROC), key=lambda each: each.name):
        if entry.name in KEPT or entry.name.isdigit() or entry.is_symlink() or f"/proc/{entry.name}" in replaced:
            continue
        yield ("--tmpfs", entry.path) if entry.is_dir() else ("/dev/null", entry.path)


def _start_of(path: Path) -> str:
    try:
        return path.read_text()[:MOST]
    except OSError:
        return ""  # this machine has no such file


def _boot_time() -> str:
    return next((line.split()[1] for line in _start_of(PROC / "stat").splitlines() if line.startswith("btime")), "0")
