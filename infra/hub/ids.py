"""A uid for each workspace's server and one for its kernels; a number that was used is never given to another one."""

from __future__ import annotations

import fcntl
import json
from pathlib import Path

from credit.files import write_atomically
from infra.sandbox.bubblewrap import Ids

FIRST = 61_000  # above what distributions give to people and services, below 65534


def ids_of(file: Path, workspace: str) -> tuple[Ids, Ids]:
    """The ids of a workspace's server and of its kernels; both share the group that owns the home."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        known: dict[str, int] = json.loads(file.read_bytes()) if file.exists() else {}
        if workspace not in known:
            known[workspace] = len(known)
            write_atomically(file, json.dumps(known, indent=1).encode(), mode=0o600)
    base = FIRST + 2 * known[workspace]
    return Ids(base, base), Ids(base + 1, base)
