"""One service under two servers: uvicorn, which ships, and granian.

gunicorn is not a fourth: its workers for ASGI are uvicorn's. Each is one process on core 0 with uvloop, in turns.
"""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path
from typing import Any

from bench.record import record
from bench.service import load_generator
from bench.service.http_speed import DATA, RUNS, SECONDS, _costed, _middle, _server, score_requests
from credit.settings import read
from serving.app.create import create_app
from serving.settings import PREFIX, ServiceSettings

_GRANIAN = ("--factory", "--interface", "asgi", "--loop", "uvloop", "--no-ws", "--http", "1",
            "bench.service.servers:make", "--port")  # fmt: skip
SERVERS: dict[str, tuple[str, ...]] = {"uvicorn": ("serving",), "granian": ("granian", *_GRANIAN)}


def make() -> Any:
    """The application by the environment's settings, for a server that we do not start ourselves."""
    return create_app(read(ServiceSettings, os.environ, PREFIX))


def http_servers_rps() -> None:
    """Whole answers a second under each server over those under uvicorn, 16 connections, in turns."""
    there = {name: command for name, command in SERVERS.items() if name != "granian" or _has_granian()}
    runs_of: dict[str, list[tuple[float, float]]] = {name: [] for name in there}
    with contextlib.ExitStack() as stack:
        running = {name: stack.enter_context(_server(*command)) for name, command in there.items()}
        requests = {name: score_requests(port) for name, (port, _) in running.items()}
        for name, (port, _) in running.items():
            load_generator.run(port, requests[name], 16, 1.0)
        for _ in range(RUNS):
            for name, (port, pid) in running.items():
                runs_of[name].append(_costed(port, pid, requests[name]))
    for name, runs in runs_of.items():
        ratios = [own / its for (own, _), (its, _) in zip(runs, runs_of["uvicorn"], strict=True)]
        more = {
            "server": name, "runs": RUNS, "seconds": SECONDS, "left_out": sorted(SERVERS.keys() - there.keys()),
            "rps": round(_middle(rps for rps, _ in runs)), "cpu_us": round(_middle(us for _, us in runs)),
        }  # fmt: skip
        record("http_servers_rps", _middle(ratios), "times", against="uvicorn", data=DATA, more=more)


def _has_granian() -> bool:
    return (Path(sys.executable).parent / "granian").exists()  # `uv sync --group peers` brings it
