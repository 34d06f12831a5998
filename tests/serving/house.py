"""The service on a port of its own, and connections to it, byte by byte: what went the fast way is noted."""

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
from serving.wire import fast

FIRM, OTHER = codes("enterprise", 2)


class Line:
    """One connection to the service, byte by byte."""

    def __init__(self, port: int, token: str, path: str = "/v1/scores") -> None:
        self.path = path
        self.link, self.token = socket.create_connection(("127.0.0.1", port), timeout=20), token
        self.held = b""

    def request(self, mandate: str, code: str = FIRM, more: str = "", body: str | None = None) -> bytes:
        told = body or json.dumps({"uscc": code, "purpose": PURPOSE, "mandate": mandate})
        head = f"POST {self.path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {self.token}\r\n{more}"
        return f"{head}Content-Length: {len(told)}\r\n\r\n{told}".encode()

    def ask(self, *words: Any, **more: Any) -> tuple[int, dict[str, str], bytes]:
        self.link.sendall(self.request(*words, **more))
        return self.answer()

    def answer(self) -> tuple[int, dict[str, str], bytes]:
        while b"\r\n\r\n" not in self.held:
            self._more()
        head, _, self.held = self.held.partition(b"\r\n\r\n")
        status, *lines = head.decode().split("\r\n")
        headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
        while len(self.held) < int(headers["content-length"]):
            self._more()
        size = int(headers["content-length"])
        body, self.held = self.held[:size], self.held[size:]
        return int(status.split()[1]), headers, body

    def _more(self) -> None:
        came = self.link.recv(65536)
        assert came, "the service hung up"
        self.held += came


class House:
    """The service on a port of its own, in a thread, and what was taken on the fast way."""

    def __init__(
        self, world: Any, fast: Any, server: Any, thread: threading.Thread, port: int, taken: list[bool]
    ) -> None:
        self.world, self.fast, self.server, self.port, self.taken = world, fast, server, port, taken
        self.endpoint, self.thread = fast.endpoint, thread
        self.lines: list[Line] = []

    def line(self) -> Line:
        service = self.endpoint.service
        self.lines.append(Line(self.port, service.tokens.sign(service.access.client("bohai"), "score")))
        return self.lines[-1]

    def stop(self) -> None:
        """Let the calls under way end."""
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
def house(world: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    settings = world.settings()
    endpoint, taken = create_app(settings), list[bool]()
    really = fast.FastPath.take

    def noted(self: Any, *words: Any) -> bool:
        taken.append(really(self, *words))
        return taken[-1]

    monkeypatch.setattr(fast.FastPath, "take", noted)
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    way = fast.FastPath(endpoint)
    server = uvicorn.Server(worker.server_config(endpoint, settings, way))
    thread = threading.Thread(target=server.run, args=([listening],))
    thread.start()
    while not server.started:
        assert thread.is_alive()
        time.sleep(0.01)
    house = House(world, way, server, thread, listening.getsockname()[1], taken)
    yield house
    house.stop()
    listening.close()
