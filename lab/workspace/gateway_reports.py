"""Reports of the sealed server about cells: to the gateway, on disk when these return, and to the supervisor."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterable
from typing import Any

from credit.messages import language_here
from credit.unix_connection import UnixConnection

GATEWAY, SUPERVISOR = "/run/lab/gateway.sock", "/run/keep/keep.sock"
SECONDS = 10.0


class RefusedByGateway(ValueError):
    """What the gateway refused, in its words, with the HTTP status."""

    def __init__(self, status: int, words: str) -> None:
        super().__init__(words)
        self.status = status


def report_cell(kernel: str, code: str) -> str:
    """Record a cell in the ledger and return the digest of its code; raises ValueError with a reason if refused."""
    recorded = _post("/v1/cells", {"kernel": kernel, "code": code})
    return str(recorded["cells"][0])


def report_tables(kernel: str, code: str, tables: Iterable[str]) -> None:
    """Record the tables that a kernel says a cell read, where the machine has no monitor."""
    if named := sorted(set(tables)):
        _post("/v1/reads", {"kernel": kernel, "code": code, "tables": named})


def report_shown_file(name: str, digest: str, size: int) -> None:
    """Record that a browser is shown a file of so many bytes; raises :class:`RefusedByGateway` over the pace."""
    _post("/v1/shown-files", {"name": name, "digest": digest, "bytes": size})


def begin_cell(kernel: str, message: str, code: str) -> bool:
    """Tell the supervisor which cell is passed to a kernel next; True where the machine records what it reads."""
    return _report({"cell": kernel, "message": message, "code": code})


def end_cell(kernel: str, message: str) -> None:
    """Tell the supervisor that a cell has ended."""
    _report({"cell": kernel, "message": message, "ended": True})


def notices() -> list[dict[str, Any]]:
    """The notices of the workspace to its person, as its supervisor says them; raises ValueError where it does not."""
    return list(_requested({"notices": True}, "notices"))


def _report(report: dict[str, Any]) -> bool:
    """Send a report to the supervisor; raises ValueError when it did not take it."""
    return bool(_requested(report, "monitored"))


def _requested(question: dict[str, Any], about: str) -> Any:
    """What the supervisor answers under a name; raises ValueError when it answers something else."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as supervisor:
        supervisor.settimeout(SECONDS)
        supervisor.connect(SUPERVISOR)
        supervisor.sendall(json.dumps(question).encode() + b"\n")
        answer = json.loads(supervisor.makefile("rb").readline() or b"{}")
    if about not in answer:
        raise ValueError(str(answer.get("error", "the workspace's supervisor did not answer")))
    return answer[about]


def _post(path: str, data: dict[str, Any]) -> dict[str, Any]:
    headers = {"Content-Type": "application/json", "Accept-Language": language_here()}
    connection = UnixConnection(GATEWAY, "gateway", SECONDS)
    status, content = connection.answer("POST", path, json.dumps(data).encode(), headers)
    reply: dict[str, Any] = json.loads(content or b"{}")
    if status >= 300:
        raise RefusedByGateway(status, f"{reply.get('title', status)}: {reply.get('detail', '')}")
    return reply
