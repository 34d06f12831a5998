"""What the sealed server tells the gateway of cells, and whom it asks what they read. Durable when these return."""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
from collections.abc import Iterable, Iterator
from typing import Any

GATEWAY, KEEPER = "/run/lab/gateway.sock", "/run/keep/keep.sock"
SECONDS = 10.0


def cell(kernel: str, code: str) -> str:
    """Have a cell written into the ledger; the digest of its code. Raises :class:`ValueError` with words if refused."""
    told = _post("/v1/cells", {"kernel": kernel, "code": code})
    return str(told["cells"][0])


def tables(kernel: str, code: str, told: Iterable[str]) -> None:
    """Have it written which tables were read: the machine's word where there is a watch, else the kernel's."""
    seen = watched()
    found, witness = (sorted(set(told)), "kernel") if seen is None else (seen, "machine")
    if found:
        _post("/v1/reads", {"kernel": kernel, "code": code, "tables": found, "witness": witness})


def watched() -> list[str] | None:
    """The tables this workspace read since it was last asked, as the keeper's watch saw it; None without one."""
    with _connected(KEEPER) as keeper:
        keeper.sendall(b'{"reads": true}\n')
        line = keeper.makefile("rb").readline()
    found: list[str] | None = json.loads(line or b"{}").get("tables")
    return found


def _post(path: str, told: dict[str, Any]) -> dict[str, Any]:
    connection = http.client.HTTPConnection("gateway", timeout=SECONDS)
    with _connected(GATEWAY) as connection.sock:
        connection.request("POST", path, json.dumps(told).encode(), {"Content-Type": "application/json"})
        answer = connection.getresponse()
        said: dict[str, Any] = json.loads(answer.read() or b"{}")
        if answer.status >= 300:
            raise ValueError(f"{said.get('title', answer.status)}: {said.get('detail', '')}")
        return said


@contextlib.contextmanager
def _connected(path: str) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connected:
        connected.settimeout(SECONDS)
        connected.connect(path)
        yield connected
