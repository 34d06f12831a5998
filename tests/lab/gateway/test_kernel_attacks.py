"""A kernel cannot take the identity of another workspace, whatever it sends, nor block the gateway for others."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import select
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from starlette.requests import Request

from lab.gateway import request_bodies
from lab.gateway.app import kernel_app, server_app
from lab.gateway.research_zone import ResearchZone
from lab.gateway.sockets import connection
from tests.lab.running_gateway import House

pytestmark = pytest.mark.attack

FORGED = {
    "X-Forwarded-User": "bob",
    "X-Remote-User": "bob",
    "Authorization": "Bearer bob",
    "Cookie": "haihe.principal=bob; user=bob",
    "haihe.principal": "bob",
    "X-Forwarded-For": "127.0.0.1",
    "Host": "bob--fines",
    "Forwarded": "for=bob;by=bob",
}


def test_no_header_query_or_body_makes_it_another(house: House) -> None:
    with house.kernel() as http, house.server() as server:
        for header, value in FORGED.items():
            identity = http.get("/v1/me", headers={header: value}, params={"user": "bob", "project": "fines"}).json()
            assert (identity["user"], identity["project"], identity["side"]) == ("alice", "loans", "kernel")
        cell = {"kernel": "k", "code": "forged", "tables": []}
        assert server.post("/v1/cells", json=cell, headers=FORGED).status_code == 201
    assert {str(entry.by) for entry in house.entries("cell.executed")} <= {"researcher:alice"}


def test_every_route_is_refused_without_a_socket(house: House) -> None:
    zone = ResearchZone.open(house.settings)

    async def request_status(app: FastAPI) -> int:
        routes = app.openapi()["paths"]
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://gateway") as http:
            for path, methods in routes.items():
                for method in methods:
                    answer = await http.request(method.upper(), re.sub("{.+?}", "x", path), headers=FORGED)
                    assert answer.status_code == 401, path
        return len(routes)

    assert asyncio.run(request_status(kernel_app(zone))) > 1
    assert asyncio.run(request_status(server_app(zone))) > 1


def test_a_kernel_cannot_report_cells_and_reaches_no_route_of_the_hub(house: House) -> None:
    with house.kernel() as http:
        for method, path in (("POST", "/v1/cells"), ("POST", "/workspaces"), ("DELETE", "/workspaces/bob--fines")):
            assert http.request(method, path, json={}).status_code == 404
        for path in ("/v1/../workspaces", "/v1/%2e%2e/workspaces", "//workspaces", "/v1/me/../../workspaces"):
            assert http.get(path).status_code == 404


@pytest.mark.skipif(os.geteuid() != 0, reason="takes root to become another user")
def test_another_user_is_dropped_though_the_file_lets_them_in(house: House) -> None:
    paths = house.open("carol", "loans", kernel_uid=61011, server_uid=61012, gid=61011)
    try:
        for side, own_uid in (("kernel", 61011), ("server", 61012)):
            folder = Path(paths[side]).parent
            assert _response_to(folder, own_uid).startswith(b"HTTP/1.1 200")
            assert _response_to(folder, 61011 + 61012 - own_uid) == b"", "the other sandbox's user, in the same group"
            assert _response_to(folder, 61099) == b"", "one who got into the group"
            assert _response_to(folder, 0) == b"", "root has other doors"
            assert _response_to(folder, 61099, gid=61099) == b"refused by the file"
    finally:
        with house.control() as hub:
            hub.delete("/workspaces/carol--loans")


CHILD = """
import os, socket, sys
folder, uid, gid = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
os.chdir(folder)
os.setgroups([]); os.setresgid(gid, gid, gid); os.setresuid(uid, uid, uid)
with socket.socket(socket.AF_UNIX) as at:
    at.settimeout(10)
    try:
        at.connect("gateway.sock")
    except PermissionError:
        sys.stdout.write("refused by the file"); raise SystemExit
    try:
        at.sendall(b"GET /v1/me HTTP/1.1\\r\\nHost: x\\r\\nConnection: close\\r\\n\\r\\n")
        while part := at.recv(4096):
            sys.stdout.buffer.write(part)
    except (BrokenPipeError, ConnectionResetError):
        pass
"""


def _response_to(folder: Path, uid: int, gid: int = 61011) -> bytes:
    command = [sys.executable, "-I", "-c", CHILD, str(folder), str(uid), str(gid)]
    return subprocess.run(command, capture_output=True, check=True, timeout=20).stdout


@pytest.mark.parametrize("header", [f"Content-Length: {1 << 40}", "Transfer-Encoding: chunked"])
def test_a_giant_or_endless_body_is_refused_in_words_before_it_is_read(house: House, header: str) -> None:
    path = house.open("alice", "loans")["server"]
    with socket.socket(socket.AF_UNIX) as at:
        at.settimeout(20)
        at.connect(path)
        at.sendall(f"POST /v1/cells HTTP/1.1\r\nHost: x\r\n{header}\r\n\r\n".encode())
        sent, part = 0, b"10000\r\n" + b"x" * 65536 + b"\r\n"
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            while sent < 1 << 30 and not select.select([at], [], [], 0)[0]:
                at.sendall(part)
                sent += len(part)
        answer = _read(at)
    assert b"413" in answer.split(b"\r\n")[0]
    assert b"too large" in answer
    assert sent < 32 << 20


def test_a_body_that_trickles_is_refused_in_words() -> None:
    async def receive() -> dict[str, object]:
        await asyncio.sleep(0.02)
        return {"type": "http.request", "body": b"x", "more_body": True}

    request = Request({"type": "http", "headers": []}, receive)  # type: ignore[arg-type]
    with pytest.raises(request_bodies.TooSlow, match="not arrive in time"):
        asyncio.run(request_bodies.read_body(request, seconds=0.2))


def test_headers_without_end_are_cut_off(house: House) -> None:
    path = house.open("alice", "loans")["kernel"]
    with socket.socket(socket.AF_UNIX) as at:
        at.settimeout(20)
        at.connect(path)
        sent = 0
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            at.sendall(b"GET /v1/me HTTP/1.1\r\n")
            while sent < 64 << 20:
                at.sendall(b"a" * 1000 + b": b\r\n")
                sent += 1005
        assert sent < 4 << 20


def test_thousands_of_slow_readers_leave_the_others_served_and_the_gateway_small(house: House) -> None:
    path, log = house.open("carol", "loans")["kernel"], house.home.root / "gateway.log"
    pid = _gateway_of(house)
    before = _rss(pid)
    connections: list[socket.socket] = []
    slowest = 0.0
    with house.kernel("bob", "fines") as bob, contextlib.ExitStack() as kept:
        for number in range(10_000):
            at = kept.enter_context(socket.socket(socket.AF_UNIX))
            at.setblocking(False)
            with contextlib.suppress(OSError):
                at.connect(path)
                at.send(b"GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n" * 20)  # and never reads
                connections.append(at)
            if number % 1000 == 0:
                start = time.monotonic()
                assert bob.get("/v1/me").status_code == 200
                slowest = max(slowest, time.monotonic() - start)
            if len(connections) > 800:  # the test's own descriptors are bounded too
                connections.pop(0).close()
        time.sleep(0.5)
        assert len(os.listdir(f"/proc/{pid}/fd")) < 3 * connection.CONNECTIONS + 100
        assert _rss(pid) - before < 100 << 20
        assert slowest < 3
    with house.kernel("carol", "loans") as http:
        assert http.get("/v1/me").status_code == 200, log.read_text()[-2000:]


def test_a_silent_connection_is_not_kept(house: House) -> None:
    path = house.open("alice", "loans")["kernel"]
    with socket.socket(socket.AF_UNIX) as at:
        at.settimeout(connection.HEADER_SECONDS + 5)
        at.connect(path)
        at.sendall(b"GET /v1/me HT")
        start = time.monotonic()
        with contextlib.suppress(ConnectionResetError):
            assert at.recv(1) == b""
        assert time.monotonic() - start < connection.HEADER_SECONDS + 3


def test_garbage_is_answered_or_cut_off_and_the_gateway_lives(house: House) -> None:
    path = house.open("alice", "loans")["kernel"]
    for garbage in (os.urandom(5000), b"GET / HTTP/9.9\r\n\r\n", b"\x16\x03\x01" * 100, b"GET /\xff HTTP/1.1\r\n\r\n"):
        with socket.socket(socket.AF_UNIX) as at:
            at.settimeout(15)
            at.connect(path)
            with contextlib.suppress(OSError):
                at.sendall(garbage)
                at.shutdown(socket.SHUT_WR)
                _read(at)
    with house.kernel() as http:
        assert http.get("/v1/me", headers={"Upgrade": "websocket", "Connection": "Upgrade"}).status_code == 200
        assert http.get("/v1/me").status_code == 200


def _read(at: socket.socket) -> bytes:
    parts = []
    with contextlib.suppress(ConnectionResetError):
        while part := at.recv(65536):
            parts.append(part)
    return b"".join(parts)


def _gateway_of(house: House) -> int:
    starts = [line for line in (house.home.root / "gateway.log").read_text().splitlines() if '"started"' in line]
    return int(starts[-1].split('"pid": ')[1].rstrip("}"))


def _rss(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) << 10
