"""What the gateway bears: requests a second of one workspace, beside those of a route that does nothing."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path

from bench.record import record
from credit.actor import Actor, Role
from infra import stack
from infra.home import Home
from lab.accounts.account_changes import AccountChanges
from lab.accounts.accounts import Accounts
from lab.projects import Projects

CONNECTIONS, SECONDS, RUNS = 16, 3.0, 5
CELL = json.dumps({"kernel": "k-1", "code": "lab.sql('SELECT 1')", "tables": ["registration"]}).encode()
REQUESTS = {
    "GET /health": ("control", b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n"),
    "GET /v1/me": ("kernel", b"GET /v1/me HTTP/1.1\r\nHost: x\r\n\r\n"),
    "POST /v1/cells": (
        "server",
        b"POST /v1/cells HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%b" % (len(CELL), CELL),
    ),
}


def gateway_requests_per_second() -> None:
    """Requests a second over 16 connections: who am I, and a cell that is in the ledger before the answer.

    ``/health`` does nothing at all: the server's own cost, measured in the same runs, in turns.
    """
    with _running() as sockets:
        rates: dict[str, list[float]] = {name: [] for name in REQUESTS}
        for _ in range(RUNS):
            for name, (side, request) in REQUESTS.items():
                rates[name].append(asyncio.run(_rate(sockets[side], request)))
        middle = {name: statistics.median(each) for name, each in rates.items()}
    for name in ("GET /v1/me", "POST /v1/cells"):
        more = {"request": name, "connections": CONNECTIONS, "runs": RUNS, "seconds": SECONDS}
        more["health_per_second"] = round(middle["GET /health"], 1)
        data = "a ledger of one project"
        record("gateway_requests_per_second", middle[name], "requests/s", data=data, against="/health", more=more)


async def _rate(path: str, request: bytes) -> float:
    """Answers of 2xx a second over all connections."""
    end = time.monotonic() + SECONDS

    async def one() -> int:
        reader, writer = await asyncio.open_unix_connection(path)
        count = 0
        while time.monotonic() < end:
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0])
            await reader.readexactly(length)
            if head[9:10] != b"2":
                raise RuntimeError(f"the gateway answered {head[:30]!r}")
            count += 1
        writer.close()
        await writer.wait_closed()
        return count

    start = time.monotonic()
    counts = await asyncio.gather(*(one() for _ in range(CONNECTIONS)))
    return sum(counts) / (time.monotonic() - start)


@contextlib.contextmanager
def _running() -> Iterator[dict[str, str]]:
    """A gateway of its own over an empty home, and the sockets of one workspace."""
    with tempfile.TemporaryDirectory(prefix="hh") as folder:
        home = Home(Path(folder) / "home")
        home.ensure_keys()
        boss = Actor("petra", Role.PLATFORM)
        ledger, changes = home.ledger("research", writing=True), AccountChanges(home.ledger("desk", writing=True))
        changes.install((boss.name, "pavel"))
        changes.request_account("alice", (Role.RESEARCHER,), by=boss)
        words, end = {"title": "loans", "purpose": "to measure"}, date(2100, 1, 1)
        projects = Projects(ledger, Accounts(changes.ledger))
        projects.open("loans", **words, ends_on=end, members=["alice"], by=boss, today=date.today())
        run = Path(folder) / "run"
        env = {**os.environ, **home.environment("research"), "HAIHE_RESEARCH_RUN": str(run)}
        process = subprocess.Popen(
            [sys.executable, "-m", "lab.gateway"], env=env, stderr=subprocess.DEVNULL, start_new_session=True
        )
        try:
            control = run / "gateway.sock"
            yield {"control": str(control), **_open(control)}
        finally:
            stack.stop(process)


def _open(control: Path) -> dict[str, str]:
    """Open the workspace as soon as the gateway is ready."""
    body = json.dumps({"user": "alice", "project": "loans"}).encode()
    head = b"POST /workspaces HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(body)
    limit = time.monotonic() + 30
    while time.monotonic() < limit:
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as at:
            at.connect(str(control))
            at.sendall(head + body)
            answer = b"".join(iter(lambda: at.recv(65536), b""))
            output: dict[str, str] = json.loads(answer.partition(b"\r\n\r\n")[2])
            return output
        time.sleep(0.05)
    raise RuntimeError("the gateway did not become ready")
