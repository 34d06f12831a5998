"""Whole answers of the scoring service per second, measured in pairs with plain FastAPI around a bare model.

A whole answer: token and mandate checked, sixty reasons, signed, its ledger entry durable before it leaves. Each server
is one process on core 0, the load one process on core 1. On a shared machine the requests per second
depend on what others use; the processor time of a request, printed beside them, is what it costs.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import socket
import statistics
import sys
import time
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

import httpx
import numpy as np

from bench.record import record
from bench.service import load_generator
from bench.service.service_world import BANK, FEATURES, NAMES, PURPOSE, ROOT, ServiceWorld, build
from infra import stack
from infra.proxy.running import proxy
from infra.proxy.settings import ProxySettings

SECONDS, RUNS = 3.0, 5
DATA = "invented: 500 trees, 31 leaves, 60 features; 2,000 subjects, 500 mandates"


@cache
def world() -> ServiceWorld:
    """The world, made once a run."""
    return build()


def http_rps() -> None:
    """Whole answers a second over 1 and 16 connections."""
    for connections in (1, 16):
        _record("http_rps", "requests/s", connections, None)


def http_p50_ms() -> None:
    """How long half of the whole answers take, over one connection."""
    _record("http_p50_ms", "ms", 1, 0.6)


def http_p99_ms() -> None:
    """How long 99 of 100 whole answers take, over one connection."""
    _record("http_p99_ms", "ms", 1, 2.0)


def _record(figure: str, unit: str, connections: int, goal: float | None) -> None:
    runs, disk = _runs(connections)
    value = _middle(getattr(run, figure.removeprefix("http_")) for run in runs)
    more = {"connections": connections, "runs": RUNS, "seconds": SECONDS, **disk}
    record(figure, value, unit, data=DATA, goal=goal, more=more)


@cache
def _runs(connections: int) -> tuple[list[load_generator.Load], dict[str, float]]:
    """Several loads on one service, and how long the disk took meanwhile; the same for every figure of this run."""
    with _server("serving") as (port, _):
        requests = score_requests(port)
        load_generator.run(port, requests, connections, 1.0)
        runs = [load_generator.run(port, requests, connections, SECONDS) for _ in range(RUNS)]
        assert not sum(run.failed for run in runs)
        return runs, dict(zip(("fdatasync_p50_ms", "fdatasync_p99_ms"), _fdatasync_ms(), strict=True))


def http_vs_plain_fastapi() -> None:
    """Whole answers a second over bare scores a second of plain FastAPI + Booster.predict, 16 connections, in turns."""
    ours, theirs = [], []
    with _server("serving") as (port, pid), _server("bench.peers.plain_fastapi", "model") as (other, its_pid):
        requests, rows = score_requests(port), bare()
        for one, what in ((port, requests), (other, rows)):
            load_generator.run(one, what, 16, 1.0)
        for _ in range(RUNS):
            ours.append(_costed(port, pid, requests))
            theirs.append(_costed(other, its_pid, rows))
    with _server("bench.peers.plain_fastapi", "fixed", ready=False) as (port, _):
        most = load_generator.run(port, requests, 16, SECONDS).rps
    ratios = [own_rate[0] / its[0] for own_rate, its in zip(ours, theirs, strict=True)]
    costs = [its[1] / own_rate[1] for own_rate, its in zip(ours, theirs, strict=True)]
    more = {
        "runs": RUNS, "seconds": SECONDS, "range": [round(min(ratios), 2), round(max(ratios), 2)],
        "ours_rps": round(_middle(rps for rps, _ in ours)), "theirs_rps": round(_middle(rps for rps, _ in theirs)),
        "ours_cpu_us": round(_middle(us for _, us in ours)), "theirs_cpu_us": round(_middle(us for _, us in theirs)),
        "by_cpu": round(_middle(costs), 3), "load_can_rps": round(most),
    }  # fmt: skip
    against = "FastAPI + Booster.predict, a bare score"
    record("http_vs_plain_fastapi", _middle(ratios), "times", goal=2.0, against=against, data=DATA, more=more)


def http_through_proxy_ratio() -> None:
    """Whole answers a second through the shipped proxy over those without it, 16 connections, in turns."""
    ratios, costs = [], []
    with _server("serving") as (port, pid):
        listen = f"127.0.0.1:{stack.free_port()}"
        settings = ProxySettings("x", listen, f"127.0.0.1:{port}", ROOT / "proxy")
        with proxy(settings):
            requests, through = score_requests(port), int(listen.rpartition(":")[2])
            for one in (port, through):
                load_generator.run(one, requests, 16, 1.0)
            for _ in range(RUNS):
                alone, proxied = _costed(port, pid, requests), _costed(through, pid, requests)
                ratios.append(proxied[0] / alone[0])
                costs.append(proxied[1] / alone[1])
    more = {"runs": RUNS, "seconds": SECONDS, "range": [round(min(ratios), 2), round(max(ratios), 2)],
            "service_by_cpu": round(_middle(costs), 2)}  # fmt: skip
    record("http_through_proxy_ratio", _middle(ratios), "times", against="without the proxy", data=DATA, more=more)


def http_keyed_ratio() -> None:
    """What an answer with an idempotency key costs over one without, 16 connections, in turns, by processor time."""
    ratios = []
    with _server("serving") as (port, pid):
        plain, head = score_requests(port), secrets.token_hex(6)
        load_generator.run(port, plain, 16, 1.0)
        for turn in range(RUNS):
            keyed = [
                request.replace(b"Host: x\r\n", b"Host: x\r\nIdempotency-Key: %b-%d-%d\r\n" % (head.encode(), turn, n))
                for n, request in enumerate(plain * 60)
            ]
            without = _costed(port, pid, plain)
            ratios.append(_costed(port, pid, keyed)[1] / without[1])
    more = {"runs": RUNS, "seconds": SECONDS, "range": [round(min(ratios), 2), round(max(ratios), 2)]}
    record("http_keyed_ratio", _middle(ratios), "times", goal=1.3, against="without a key", data=DATA, more=more)


def score_requests(port: int, settings: ServiceWorld | None = None) -> list[bytes]:
    """Whole requests for each mandate, with a token."""
    settings = settings or world()
    head = _head(port, settings)
    bodies = ({"uscc": code, "purpose": PURPOSE, "mandate": mandate} for code, mandate in settings.score_requests)
    return [_request("/v1/scores", json.dumps(body), head) for body in bodies]


def live_score_requests(port: int) -> list[bytes]:
    """The same with all features brought along: the rows that the peers are sent."""
    head, rows = _head(port, world()), np.round(np.random.default_rng(3).normal(size=(500, FEATURES)), 4).tolist()
    bodies = (
        {"uscc": code, "purpose": PURPOSE, "mandate": mandate, "features": dict(zip(NAMES, row, strict=True))}
        for (code, mandate), row in zip(world().score_requests, rows, strict=True)
    )
    return [_request("/v1/scores/live", json.dumps(body), head) for body in bodies]


def _head(port: int, settings: ServiceWorld) -> str:
    form = {"grant_type": "client_credentials"}
    given = httpx.post(f"http://127.0.0.1:{port}/oauth2/token", data=form, auth=(BANK, settings.secret)).json()
    return f"Authorization: Bearer {given['access_token']}\r\nContent-Type: application/json\r\n"


def bare() -> list[bytes]:
    """Whole requests of a row of features each."""
    rows = np.round(np.random.default_rng(3).normal(size=(500, FEATURES)), 4)
    head = "Content-Type: application/json\r\n"
    return [_request("/score", json.dumps({"features": row.tolist()}), head) for row in rows]


def _request(path: str, body: str, head: str) -> bytes:
    return f"POST {path} HTTP/1.1\r\nHost: x\r\n{head}Content-Length: {len(body)}\r\n\r\n{body}".encode()


def _costed(port: int, pid: int, requests: list[bytes], writes: int = 1) -> tuple[float, float]:
    """Requests a second, and the microseconds of processor that the server took for one."""
    before = _cpu_seconds(pid)
    settings = load_generator.run(port, requests, 16, SECONDS, writes=writes)
    assert not settings.failed
    return settings.rps, (_cpu_seconds(pid) - before) / (settings.rps * SECONDS) * 1e6


def _fdatasync_ms(times: int = 500, size: int = 4096) -> tuple[float, float]:
    """What this disk itself takes to make so many bytes at a file's end durable: half of the times, and 99 of 100."""
    took = []
    with (ROOT / "disk").open("wb", buffering=0) as stream:
        for _ in range(times):
            stream.write(bytes(size))
            began = time.perf_counter()
            os.fdatasync(stream.fileno())
            took.append((time.perf_counter() - began) * 1e3)
    took.sort()
    return round(took[times // 2], 3), round(took[int(times * 0.99)], 3)


def _cpu_seconds(pid: int) -> float:
    """Of a process and those it started."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    started = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK") + sum(map(_cpu_seconds, map(int, started)))


def _middle(values: Iterable[float]) -> float:
    return statistics.median(values)


@contextlib.contextmanager
def _server(module: str, *arguments: str, ready: bool = True, cores: int = 1, **more: str) -> Iterator[tuple[int, int]]:
    """One process on core 0, or on so many; its port and process id. `more` are settings of the service's."""
    world()
    port, log = stack.free_port(), Path(ROOT / f"{module}.log")
    own = [] if module == "serving" else [*arguments, str(port)]
    env = world().environment() | {"HAIHE_SERVICE_PORT": str(port)} | more
    command = ["taskset", "-c", f"0-{cores - 1}", sys.executable, "-m", module, *own]
    url = f"http://127.0.0.1:{port}/ready" if ready else ""
    with stack.running(command, env=env, log=log, ready=url, name=module) as pid:
        if not ready:
            _wait(port)
        yield port, pid


def _wait(port: int) -> None:
    for _ in range(1200):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
