"""The service as a process of its own over real HTTP, and the plain sockets that attack it."""

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
    """Start it, by another `command` of Python's if there is one; give address, log and process when it is ready."""
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
    """What comes back for these bytes, until the other side hangs up or the seconds are over."""
    with socket.create_connection(("127.0.0.1", port), seconds) as link, contextlib.suppress(OSError):
        told = b""
        with contextlib.suppress(OSError):
            link.sendall(sent)
        with contextlib.suppress(TimeoutError):
            while part := link.recv(65536):
                told += part
                if b"\r\n\r\n" in told and b"content-length" in told.lower():
                    break
        return told
    return b""
