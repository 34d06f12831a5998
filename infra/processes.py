"""Which processes of a home run: each start is recorded in ``<home>/running/``, and ``haihe status`` probes them.

A record is one JSON file a process. It is removed when the process is stopped by us; a record of a process that has
ended otherwise is ignored, since its pid is no longer there or belongs to a process that began at another time. Its
form is checked: another program may have put anything there.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import socket
import stat
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from credit.files import write_atomically
from infra.home import Home

FOLDER = "running"
LARGEST_RECORD = 16 * 1024  # bytes
# The addresses that `haihe up` writes: this machine alone.
PLACES = re.compile(
    r"(http://(127\.0\.0\.1|localhost)(:\d{1,5})?(/[\w./-]*)?|unix:/[^:\x00-\x1f]+(:/[\w./-]*)?)?", re.ASCII
)


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
    for path, process in _records(home):
        if process is None:
            continue
        if process.is_running:
            processes.append(process)
        else:
            with contextlib.suppress(OSError):
                path.unlink()
    return processes


def unreadable(home: Home) -> list[str]:
    """The names of the files among the records of a home that are not records."""
    return [path.name for path, process in _records(home) if process is None]


def _records(home: Home) -> Iterator[tuple[Path, Process | None]]:
    """Every file of the folder with its record, or None when it has none; by name."""
    for path in sorted((home.root / FOLDER).glob("*.json")):
        try:
            yield path, _read(path)
        except FileNotFoundError:
            continue  # removed meanwhile
        except (OSError, ValueError, TypeError, RecursionError):
            yield path, None


def _read(path: Path) -> Process:
    """The record in a file. Raises ``ValueError`` or ``TypeError`` when it has another form than ours."""
    # A pipe is not waited for, and a link is not followed.
    with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW), "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise ValueError("not a regular file")
        data = file.read(LARGEST_RECORD + 1)
    if len(data) > LARGEST_RECORD:
        raise ValueError("too large")
    process = Process(**json.loads(data))
    if not all(type(number) is int and 0 <= number < 2**63 for number in (process.pid, process.began)):
        raise TypeError("pid and began are whole numbers")
    if not isinstance(process.name, str):
        raise TypeError("name is a text")
    if not all(PLACES.fullmatch(place) for place in (process.address, process.health)):
        raise ValueError("an address that is not of this machine")
    return process


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

        with contextlib.suppress(httpx.HTTPError, httpx.InvalidURL, ValueError):
            return httpx.get(health, timeout=seconds).is_success
        return False
    place, _, path = health.removeprefix("unix:").partition(":")
    with socket.socket(socket.AF_UNIX) as connected, contextlib.suppress(OSError, ValueError):
        connected.settimeout(seconds)
        connected.connect(place)
        connected.sendall(f"GET {path} HTTP/1.0\r\nHost: unix\r\n\r\n".encode())
        return b" 200 " in connected.recv(256)
    return False
