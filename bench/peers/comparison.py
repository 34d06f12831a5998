"""The door beside model servers: a whole answer of ours over a bare score of theirs, each on core 0, load on core 1.

Peers that cannot share our environment get their own under var/bench/peers, made with uv when the package index can be
reached; one that cannot be had is left out, and the figure says so. The best peer is the fastest of those that ran.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import httpx
import numpy as np

from bench.record import record
from bench.service import load_generator
from bench.service.http_speed import (
    DATA,
    RUNS,
    SECONDS,
    _middle,
    _request,
    _server,
    live_score_requests,
    score_requests,
    world,
)
from bench.service.service_world import FEATURES
from infra import stack

PLACE, CONNECTIONS, WARM = Path("var/bench/peers"), 16, 6.0  # seconds: the first live score reads the trees
NEEDS = {
    "mlserver": ("mlserver==1.7.1", "mlserver-lightgbm==1.7.1"),
    "bentoml": ("bentoml==1.4.40", "lightgbm==4.7.0", "numpy"),
    "ray": ("ray[serve]==2.60.0", "lightgbm==4.7.0", "numpy"),
    "mlflow": (),  # it is in our own environment
}
_JSON = "Content-Type: application/json\r\n"


def http_vs_best_peer() -> None:
    """Answers by code a second over bare scores a second of the best peer, 16 connections, in turns."""
    _against_best("http_vs_best_peer", score_requests, 4.0)


def http_live_vs_best_peer() -> None:
    """The same with every feature brought along, and scored with its reasons in the request."""
    _against_best("http_live_vs_best_peer", live_score_requests, 2.0)


def _against_best(figure: str, make_requests: Callable[[int], list[bytes]], goal: float) -> None:
    speeds, left_out = _peers()
    if not speeds:
        print(f"{figure}: no peer could be had ({left_out})", flush=True)
        return
    best = max(speeds, key=lambda name: speeds[name])
    ours, theirs = [], []
    with _server("serving") as (port, _), _peer(best) as other:
        own, its = make_requests(port), _rows(best)
        for one, requests in ((port, own), (other, its)):
            load_generator.run(one, requests, CONNECTIONS, WARM)
        for _ in range(RUNS):
            ours.append(_speed(port, own))
            theirs.append(_speed(other, its))
    ratios = [a / b for a, b in zip(ours, theirs, strict=True)]
    more = {
        "runs": RUNS, "seconds": SECONDS, "range": [round(min(ratios), 2), round(max(ratios), 2)],
        "ours_rps": round(_middle(ours)), "theirs_rps": round(_middle(theirs)), "left_out": left_out,
        "peers_rps": {name: round(speed) for name, speed in speeds.items()},
    }  # fmt: skip
    record(figure, _middle(ratios), "times", goal=goal, against=f"{best}, a bare score", data=DATA, more=more)


@cache
def _peers() -> tuple[dict[str, float], dict[str, str]]:
    """Bare scores a second of each peer, and why others could not be had."""
    speeds: dict[str, float] = {}
    left_out: dict[str, str] = {}
    for name in NEEDS:
        try:
            with _peer(name) as port:
                load_generator.run(port, _rows(name), CONNECTIONS, 1.0)
                speeds[name] = _middle(_speed(port, _rows(name)) for _ in range(3))
        except Exception as fault:  # a peer that does not run is no fault of ours, and is said
            left_out[name] = f"{type(fault).__name__}: {str(fault)[:80]}"
    return speeds, left_out


def _speed(port: int, requests: list[bytes]) -> float:
    details = load_generator.run(port, requests, CONNECTIONS, SECONDS)
    assert not details.failed
    return details.rps


@contextlib.contextmanager
def _peer(name: str) -> Iterator[int]:
    """The peer on core 0; its port once a score has come back with status 200."""
    world()
    python, port = _environment(name), stack.free_port()
    place = (PLACE / name).resolve()
    place.mkdir(parents=True, exist_ok=True)
    model = place / "model.txt"
    shutil.copy(next((world().root / "shelf" / "version").glob("*/model.txt")), model)
    command = ["taskset", "-c", "0", str(python), str(Path("bench/peers/model_servers.py").resolve()), name, str(port)]
    slow = {"RAY_raylet_start_wait_time_s": "120"}  # a busy machine is no reason to leave a peer out
    keep = {k: v for k, v in os.environ.items() if k in ("PATH", "HOME", "LANG", "TMPDIR")}
    env = (
        slow
        | keep
        | {
            "PATH": f"{python.parent}:{keep['PATH']}",
            "OMP_NUM_THREADS": "1",
            "BENTOML_DO_NOT_TRACK": "true",
            "RAY_USAGE_STATS_ENABLED": "0",
        }
    )
    url = f"http://127.0.0.1:{port}" + {"mlflow": "/ping", "mlserver": "/v2/health/ready", "ray": "/-/routes"}.get(
        name, "/readyz"
    )
    with stack.running([*command, str(model)], env=env, log=place / "log", ready=url, name=name, seconds=120):
        _until_it_scores(port, name)
        yield port


def _until_it_scores(port: int, name: str) -> None:
    head, _, body = _rows(name)[0].decode().partition("\r\n\r\n")
    path = head.split(" ")[1]
    for _ in range(100):
        with contextlib.suppress(httpx.HTTPError):
            details = httpx.post(
                f"http://127.0.0.1:{port}{path}", content=body, headers={"Content-Type": "application/json"}
            )
            if details.status_code == 200:
                return
    raise RuntimeError("it does not score")


def _environment(name: str) -> Path:
    """The peer's interpreter; its environment is made with uv when it is not there. Raises when it cannot be made."""
    if not NEEDS[name]:
        return Path(sys.executable)
    place = PLACE / f"{name}-env"
    python = (place / "bin" / "python").absolute()
    if not (place / "made").exists():
        uv = shutil.which("uv", path=f".tools/bin:{os.environ['PATH']}")
        if uv is None:
            raise FileNotFoundError("uv is not here")
        for details in (["venv", "-q", "--clear", "--python", "3.11", str(place)],
                     ["pip", "install", "-q", "--python", str(python), *NEEDS[name]]):  # fmt: skip
            subprocess.run([uv, *details], check=True, timeout=600, capture_output=True)
        (place / "made").touch()
    return python


@cache
def _rows(name: str) -> list[bytes]:
    """Whole requests of a row of features each, in the peer's own form."""
    rows = np.round(np.random.default_rng(3).normal(size=(500, FEATURES)), 4).tolist()
    if name == "mlserver":
        return [
            _request("/v2/models/bench/infer", json.dumps({"inputs": [
                {"name": "x", "shape": [1, FEATURES], "datatype": "FP64", "data": row}]}), _JSON)
            for row in rows
        ]  # fmt: skip
    if name == "mlflow":
        return [_request("/invocations", json.dumps({"inputs": [row]}), _JSON) for row in rows]
    return [_request("/score", json.dumps({"features": row}), _JSON) for row in rows]
