"""A load on a server: closed loop over kept-alive connections, with plain sockets, as a process of its own on a core.

`python -m bench.service.load_generator PORT CONNECTIONS SECONDS RATE WRITES < requests` reads whole HTTP requests,
framed by their
lengths, and writes one JSON line: answers a second, the quantiles in milliseconds, and how many were not 200. It asks
no more than RATE a second, and as much as it can when that is 0; each in one write, or its head and its body in two.
"""

from __future__ import annotations

import json
import os
import selectors
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO

CORE = 1


@dataclass(frozen=True, slots=True)
class Load:
    """What came back."""

    rps: float
    p50_ms: float
    p99_ms: float
    failed: int


def run(
    port: int, requests: Sequence[bytes], connections: int, seconds: float, rate: float = 0, writes: int = 1
) -> Load:
    """Load the server on `port` of this machine from another process, pinned to a core the server is not on."""
    framed = b"".join(b"%d\n%b" % (len(request), request) for request in requests)
    command = [
        sys.executable,
        "-m",
        "bench.service.load_generator",
        str(port),
        str(connections),
        str(seconds),
        str(rate),
        str(writes),
    ]
    done = subprocess.run(command, input=framed, capture_output=True, check=False, timeout=seconds + 30)
    if done.returncode:
        raise RuntimeError(f"the load broke off: {done.stderr.decode().strip().splitlines()[-1]}")
    return Load(**json.loads(done.stdout))


def _main(port: int, connections: int, seconds: float, rate: float, writes: int) -> None:
    os.sched_setaffinity(0, {CORE})
    requests = [_parts(request, writes) for request in _framed(sys.stdin.buffer)]
    ready, sent, failed, turn = selectors.DefaultSelector(), {}, 0, 0
    took: list[float] = []
    for _ in range(connections):
        link = socket.create_connection(("127.0.0.1", port))
        link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        ready.register(link, selectors.EVENT_READ, [link, b""])
        sent[link] = time.perf_counter()
        _send(link, requests[turn % len(requests)])
        turn += 1
    begin = time.perf_counter()
    end = begin + seconds
    while time.perf_counter() < end:
        for key, _ in ready.select(1):
            link, received = key.data
            chunk = link.recv(65536)
            if not chunk:
                raise ConnectionError("the server hung up")
            received += chunk
            if not _whole(received):
                key.data[1] = received
                continue
            key.data[1] = b""
            now = time.perf_counter()
            if rate and (early := begin + len(took) / rate - now) > 0:
                time.sleep(min(early, 0.05))
            took.append(now - sent[link])
            failed += not received.startswith(b"HTTP/1.1 200")
            sent[link] = time.perf_counter()
            _send(link, requests[turn % len(requests)])
            turn += 1
    spent = time.perf_counter() - begin
    if not took:
        raise TimeoutError("no answer came in time")
    took.sort()
    figures = {
        "rps": len(took) / spent,
        "p50_ms": took[len(took) // 2] * 1e3,
        "p99_ms": took[int(len(took) * 0.99)] * 1e3,
    }
    print(json.dumps({**figures, "failed": failed}))


def _whole(received: bytes) -> bool:
    """Whether headers and body of one response have arrived."""
    end = received.find(b"\r\n\r\n")
    if end < 0:
        return False
    head = received[:end].lower()
    if b"transfer-encoding: chunked" in head:
        return received.endswith(b"\r\n0\r\n\r\n")
    place = head.index(b"content-length:") + 15
    return len(received) >= end + 4 + int(head[place:].split(b"\r\n", 1)[0])


def _framed(raw: BinaryIO) -> Iterator[bytes]:
    while size := raw.readline():
        yield raw.read(int(size))


def _parts(request: bytes, writes: int) -> tuple[bytes, ...]:
    end = request.index(b"\r\n\r\n") + 4
    return (request[:end], request[end:]) if writes > 1 else (request,)


def _send(link: socket.socket, parts: tuple[bytes, ...]) -> None:
    for part in parts:
        link.sendall(part)


if __name__ == "__main__":
    _main(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]), float(sys.argv[4]), int(sys.argv[5]))
