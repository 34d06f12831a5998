"""The service as a process of its own over real HTTP, and raw sockets for attacks on it."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
from serving_world import TODAY

PLACES = {"SHELF": "shelf", "KEYS": "keys", "RING": "ring", "LEDGER": "ledger.jsonl", "ACCESS": "access.db"}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def serving(world: Any, port: int, *command: str, **more: str) -> Iterator[tuple[str, Path, subprocess.Popen[bytes]]]:
    """Start the service, or another Python `command`; give its address, log and process when it is ready."""
    env = {"PATH": os.environ["PATH"], "HAIHE_SERVICE_TODAY": str(TODAY), "HAIHE_SERVICE_PORT": str(port), **more}
    env |= {f"HAIHE_SERVICE_{name}": str(world.root / path) for name, path in PLACES.items()}
    log, url = world.root / "log", f"http://127.0.0.1:{port}"
    with log.open("ab") as stream:
        process = subprocess.Popen(
            [sys.executable, *(command or ("-m", "serving"))], env=env, stderr=stream, stdout=stream
        )
    try:
        for _ in range(400):
            with contextlib.suppress(httpx.HTTPError):
                if httpx.get(f"{url}/ready").status_code == 200:
                    break
            assert process.poll() is None, log.read_text()
            time.sleep(0.05)
        yield url, log, process
    finally:
        process.kill()
        process.wait()


def raw(port: int, sent: bytes, seconds: float = 5) -> bytes:
    """The response to these bytes, until the other side closes or the seconds are over."""
    with socket.create_connection(("127.0.0.1", port), seconds) as link, contextlib.suppress(OSError):
        received = b""
        with contextlib.suppress(OSError):
            link.sendall(sent)
        with contextlib.suppress(TimeoutError):
            while chunk := link.recv(65536):
                received += chunk
                if b"\r\n\r\n" in received and b"content-length" in received.lower():
                    break
        return received
    return b""
