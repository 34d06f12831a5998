"""The service on its own port in a thread, and raw connections to it."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
import uvicorn
from serving_world import PURPOSE, codes

from serving.app.create import create_app
from serving.entrypoints import worker

FIRM, OTHER = codes("enterprise", 2)


class Connection:
    """One raw connection to the service."""

    def __init__(self, port: int, token: str, path: str = "/v1/scores") -> None:
        self.path = path
        self.link, self.token = socket.create_connection(("127.0.0.1", port), timeout=20), token
        self.buffer = b""

    def request(self, mandate: str, code: str = FIRM, more: str = "", body: str | None = None) -> bytes:
        text = body or json.dumps({"uscc": code, "purpose": PURPOSE, "mandate": mandate})
        head = f"POST {self.path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {self.token}\r\n{more}"
        return f"{head}Content-Length: {len(text)}\r\n\r\n{text}".encode()

    def exchange(self, *words: Any, **more: Any) -> tuple[int, dict[str, str], bytes]:
        self.link.sendall(self.request(*words, **more))
        return self.answer()

    def answer(self) -> tuple[int, dict[str, str], bytes]:
        while b"\r\n\r\n" not in self.buffer:
            self._more()
        head, _, self.buffer = self.buffer.partition(b"\r\n\r\n")
        status, *lines = head.decode().split("\r\n")
        headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
        while len(self.buffer) < int(headers["content-length"]):
            self._more()
        size = int(headers["content-length"])
        body, self.buffer = self.buffer[:size], self.buffer[size:]
        return int(status.split()[1]), headers, body

    def _more(self) -> None:
        chunk = self.link.recv(65536)
        assert chunk, "the service hung up"
        self.buffer += chunk


class ServiceThread:
    """The service on its own port in a thread, on the server that banks meet."""

    def __init__(self, world: Any, endpoint: Any, server: Any, thread: threading.Thread, port: int) -> None:
        self.world, self.endpoint, self.server, self.thread, self.port = world, endpoint, server, thread, port
        self.lines: list[Connection] = []

    def line(self) -> Connection:
        service = self.endpoint.service
        self.lines.append(Connection(self.port, service.tokens.sign(service.access.client("bohai"), "score")))
        return self.lines[-1]

    def stop(self) -> None:
        """Let the requests under way end."""
        for line in self.lines:
            line.link.close()
        self.server.should_exit = True
        self.thread.join(timeout=20)
        assert not self.thread.is_alive()

    def entries(self, verb: str) -> list[Any]:
        return [entry for entry in self.world.ledger.entries() if entry.verb == verb]


def full(journal: Any) -> None:
    """Stands where a disk is written to."""
    raise OSError(28, "No space left on device")


@pytest.fixture
def service_thread(world: Any) -> Iterator[ServiceThread]:
    settings = world.settings()
    endpoint = create_app(settings)
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    server = uvicorn.Server(worker.server_config(endpoint, settings))
    thread = threading.Thread(target=server.run, args=([listening],))
    thread.start()
    while not server.started:
        assert thread.is_alive()
        time.sleep(0.01)
    service_thread = ServiceThread(world, endpoint, server, thread, listening.getsockname()[1])
    yield service_thread
    service_thread.stop()
    listening.close()
