"""The door over a whole city: what a worker holds in memory, and how long until it answers."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from functools import cache
from pathlib import Path

import httpx

from bench.record import record
from bench.service import http_speed, load_generator
from bench.service.service_world import ServiceWorld, build
from infra import stack

SUBJECTS, STARTS, WORKERS = 710_000, 3, 2
ROOT = Path("var/bench/door-710k")
DATA = "invented: 710,000 subjects x 60 features (2,000 rows again and again), 500 trees, 500 mandates"


@cache
def city() -> ServiceWorld:
    """The world, made once a run."""
    return build(ROOT, SUBJECTS)


def worker_rss_mib_710k() -> None:
    """Resident memory of a worker after a load; what is private to it, and what all workers take together (PSS)."""
    port = stack.free_port()
    env = city().environment() | {"HAIHE_SERVICE_PORT": str(port), "HAIHE_SERVICE_WORKERS": str(WORKERS)}
    ready = f"http://127.0.0.1:{port}/ready"
    command = [sys.executable, "-m", "serving"]
    with stack.running(command, env=env, log=ROOT / "log", ready=ready, name="serving", seconds=180) as pid:
        load_generator.run(port, http_speed.score_requests(port, city()), 16, 5.0)
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        each = [memory(int(child)) for child in children]
    more = {
        "workers": WORKERS, "all_pss_mib": round(sum(usage["Pss"] for usage in each)),
        "private_mib": round(max(usage["Private_Dirty"] for usage in each)),
        "mapped_mib": round(sum(path.stat().st_size for path in (ROOT / "shelf" / "snapshot").glob("*/*")) / 2**20),
    }  # fmt: skip
    record("worker_rss_mib_710k", max(usage["Rss"] for usage in each), "MiB", data=DATA, more=more)


def start_to_ready_seconds() -> None:
    """From nothing to ready, every file of the snapshot digested on the way: the middle of some starts."""
    took = []
    for _ in range(STARTS):
        port = stack.free_port()
        env = city().environment() | {"HAIHE_SERVICE_PORT": str(port)}
        began = time.monotonic()
        with (ROOT / "log").open("ab") as log:
            process = subprocess.Popen([sys.executable, "-m", "serving"], env=env, stderr=log, stdout=log)
        try:
            while not _ready(port):
                assert time.monotonic() < began + 180
                time.sleep(0.02)
            took.append(time.monotonic() - began)
        finally:
            process.terminate()
            process.wait(30)
    record("start_to_ready_seconds", statistics.median(took), "s", data=DATA, more={"starts": STARTS})


def memory(pid: int) -> dict[str, float]:
    """Rss, Pss, Private_Dirty and so on of a process, in MiB."""
    lines = (line.split() for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:])
    return {line[0].rstrip(":"): int(line[1]) / (1 << 10) for line in lines}


def _ready(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/ready").status_code == 200
    except httpx.HTTPError:
        return False
