"""Reports of the sealed server to the gateway about cells and the tables they read; on disk when these return."""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
from collections.abc import Iterable, Iterator
from typing import Any

GATEWAY, SUPERVISOR = "/run/lab/gateway.sock", "/run/keep/keep.sock"
SECONDS = 10.0


def report_cell(kernel: str, code: str) -> str:
    """Record a cell in the ledger and return the digest of its code; raises ValueError with a reason if refused."""
    recorded = _post("/v1/cells", {"kernel": kernel, "code": code})
    return str(recorded["cells"][0])


def report_tables(kernel: str, code: str, from_kernel: Iterable[str]) -> None:
    """Record the tables that a cell read: from the machine's read monitor, else from the kernel's own report."""
    monitored = tables_read()
    tables, witness = (sorted(set(from_kernel)), "kernel") if monitored is None else (monitored, "machine")
    if tables:
        _post("/v1/reads", {"kernel": kernel, "code": code, "tables": tables, "witness": witness})


def tables_read() -> list[str] | None:
    """The tables read since the last call, from the supervisor's read monitor; None without a monitor."""
    with _connected(SUPERVISOR) as supervisor:
        supervisor.sendall(b'{"reads": true}\n')
        line = supervisor.makefile("rb").readline()
    tables: list[str] | None = json.loads(line or b"{}").get("tables")
    return tables


def _post(path: str, data: dict[str, Any]) -> dict[str, Any]:
    connection = http.client.HTTPConnection("gateway", timeout=SECONDS)
    with _connected(GATEWAY) as connection.sock:
        connection.request("POST", path, json.dumps(data).encode(), {"Content-Type": "application/json"})
        answer = connection.getresponse()
        reply: dict[str, Any] = json.loads(answer.read() or b"{}")
        if answer.status >= 300:
            raise ValueError(f"{reply.get('title', answer.status)}: {reply.get('detail', '')}")
        return reply


@contextlib.contextmanager
def _connected(path: str) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connected:
        connected.settimeout(SECONDS)
        connected.connect(path)
        yield connected
