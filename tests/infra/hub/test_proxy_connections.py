"""A request to a server behind a unix socket has a connection of its own, and it is the proxy that closes it.

A server that closes first can do so before Node has written the end of a request, which then fails with 503.
"""

from __future__ import annotations

import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest

from infra.hub.proxy import command

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
SWITCH = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"


class SocketServer:
    """Answers each request on a unix socket, and keeps the connection open until the other side closes it."""

    def __init__(self, path: Path) -> None:
        self.heads: list[str] = []
        self.closed: list[float] = []
        self._listening = socket.socket(socket.AF_UNIX)
        self._listening.bind(str(path))
        self._listening.listen()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection:
            received = b""
            while b"\r\n\r\n" not in received or (b"POST" in received and not received.endswith(b"body")):
                received += connection.recv(65536)
            head = received.partition(b"\r\n\r\n")[0].decode().lower()
            self.heads.append(head)
            connection.sendall(SWITCH + b"hello" if "upgrade: websocket" in head else ANSWER)
            assert connection.recv(65536) == b"", "one request a connection"
            self.closed.append(time.monotonic())

    def close(self) -> None:
        self._listening.close()


@pytest.fixture
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[SocketServer, int]]:
    """A server on a unix socket, and the port of a proxy to it."""
    path = tmp_path_factory.mktemp("s") / "x.sock"
    server = SocketServer(path)
    with socket.socket() as one, socket.socket() as two:
        for each in (one, two):
            each.bind(("127.0.0.1", 0))
        port, api = one.getsockname()[1], two.getsockname()[1]
    target = ["--default-target", f"http+unix://{quote(str(path), safe='')}"]
    places = ["--ip", "127.0.0.1", "--port", str(port), "--api-ip", "127.0.0.1", "--api-port", str(api)]
    with subprocess.Popen([*command(), *places, *target], stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as proxy:
        wait_until(lambda: _answers(port))
        server.heads.clear()
        yield server, port
        proxy.terminate()
        server.close()


def _answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
    except OSError:
        return False


def wait_until(happened: object, seconds: float = 60) -> None:
    """Ask again until it is true."""
    assert callable(happened)
    end = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)


def test_each_request_has_a_connection_that_the_proxy_closes(served: tuple[SocketServer, int]) -> None:
    server, port = served
    with httpx.Client() as client:
        for method, body in (("POST", b"a body"), ("GET", None), ("POST", b"a body")):
            assert client.request(method, f"http://127.0.0.1:{port}/", content=body).text == "ok"
    assert len(server.heads) == 3
    assert all("connection: keep-alive" in head and "connection: close" not in head for head in server.heads)
    wait_until(lambda: len(server.closed) == 3)


def test_a_websocket_is_switched_to(served: tuple[SocketServer, int]) -> None:
    server, port = served
    with socket.create_connection(("127.0.0.1", port), timeout=30) as browser:
        head = "GET /channels HTTP/1.1\r\nHost: lab\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
        browser.sendall(head.encode())
        received = b""
        while not received.endswith(b"hello"):
            received += browser.recv(65536)
    assert received.startswith(b"HTTP/1.1 101 ")
    wait_until(lambda: len(server.closed) == 1)
