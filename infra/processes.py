"""Which processes of a home run: each start is recorded in ``<home>/running/``, and ``haihe status`` probes them.

A record is one JSON file a process. It is removed when the process is stopped by us; a record of a process that has
ended otherwise is ignored, since its pid is no longer there or belongs to a process that began at another time.
"""

from __future__ import annotations

import contextlib
import json
import socket
from dataclasses import asdict, dataclass
from pathlib import Path

from credit.files import write_atomically
from infra.home import Home

FOLDER = "running"


@dataclass(frozen=True, slots=True)
class Process:
    """A started process. ``health`` is a URL, or ``unix:<socket>:<path>``, or empty when there is nothing to probe.

    ``began`` is the start time in clock ticks since boot (field 22 of ``/proc/<pid>/stat``).
    """

    name: str
    pid: int
    address: str
    health: str
    began: int = 0

    def record(self, home: Home) -> Path | None:
        """Write it down in the home; the file, or None in a home that is not there or that we may not write to."""
        data = asdict(self) | {"began": began(self.pid)}
        path = home.root / FOLDER / f"{self.name.lower().replace(' ', '-')}-{self.pid}.json"
        if not home.exists():
            return None
        try:
            write_atomically(path, json.dumps(data).encode(), mode=0o600)
        except OSError:
            return None
        return path

    @property
    def is_running(self) -> bool:
        """True while the process that was recorded lives."""
        return self.began != 0 and began(self.pid) == self.began

    @property
    def answers(self) -> bool:
        """True when its health check succeeds within two seconds, or when it has none."""
        return not self.health or probe(self.health)


def running(home: Home) -> list[Process]:
    """The recorded processes of a home that still run, by name. Records of ended processes are removed."""
    processes = []
    for path in sorted((home.root / FOLDER).glob("*.json")):
        try:
            process = Process(**json.loads(path.read_bytes()))
        except (OSError, ValueError, TypeError):
            continue  # removed meanwhile, or not a record of ours
        if process.is_running:
            processes.append(process)
        else:
            with contextlib.suppress(OSError):
                path.unlink()
    return processes


def began(pid: int) -> int:
    """When a process began, in clock ticks since boot (``proc_pid_stat(5)``); 0 when there is none."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0
    return 0 if fields[0] == "Z" else int(fields[19])


def probe(health: str, seconds: float = 2) -> bool:
    """True when ``health`` (a URL, or ``unix:<socket>:<path>``) answers with success within ``seconds``."""
    if not health.startswith("unix:"):
        import httpx

        with contextlib.suppress(httpx.HTTPError):
            return httpx.get(health, timeout=seconds).is_success
        return False
    _, place, path = health.split(":", 2)
    with socket.socket(socket.AF_UNIX) as connected, contextlib.suppress(OSError):
        connected.settimeout(seconds)
        connected.connect(place)
        connected.sendall(f"GET {path} HTTP/1.0\r\nHost: unix\r\n\r\n".encode())
        return b" 200 " in connected.recv(256)
    return False
