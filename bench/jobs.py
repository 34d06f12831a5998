"""Jobs in figures: lines of a file scored a second, and what the answers beside it notice of that.

The service and its chores share core 0, which is harsher than any deployment; the load is on core 1.
"""

from __future__ import annotations

import itertools
import statistics
import time

import httpx

from bench import door, load
from bench.door_world import BANK, PURPOSE
from bench.record import record

LINES, RUNS, SECONDS, CONNECTIONS = 20_000, 5, 3.0, 4


def job_lines_per_second() -> None:
    """Lines a second from upload to result, alone; then the answers' p50 and p99 with a job under way and without."""
    with door._server("serving") as (port, _), _bank(port) as bank:
        send(bank, 100)  # starts the chores
        began = time.monotonic()
        name = send(bank, LINES)
        wait(bank, name)
        took = time.monotonic() - began
        more = {"lines": LINES, "seconds": round(took, 2)}
        record("job_lines_per_second", LINES / took, "lines/s", data=door.DATA, more=more)
        requests, alone, beside = door.asks(port), [], []
        load.run(port, requests, CONNECTIONS, 1.0)
        for _ in range(RUNS):
            alone.append(load.run(port, requests, CONNECTIONS, SECONDS))
            name = send(bank, 100_000)
            time.sleep(0.5)
            beside.append(load.run(port, requests, CONNECTIONS, SECONDS))
            assert bank.get(f"/v1/jobs/{name}").json()["state"] == "running", "the job was over too soon to tell"
            bank.delete(f"/v1/jobs/{name}")
        for what in ("p50_ms", "p99_ms", "rps"):
            ratios = [getattr(b, what) / getattr(a, what) for a, b in zip(alone, beside, strict=True)]
            told = {"runs": RUNS, "seconds": SECONDS, "connections": CONNECTIONS,
                    "range": [round(min(ratios), 2), round(max(ratios), 2)],
                    "alone": round(statistics.median(getattr(a, what) for a in alone), 3),
                    "beside": round(statistics.median(getattr(b, what) for b in beside), 3)}  # fmt: skip
            against = "the same service without a job"
            name = f"job_beside_{what}_ratio"
            record(name, statistics.median(ratios), "times", against=against, data=door.DATA, more=told)


def send(bank: httpx.Client, lines: int) -> str:
    """Send a file of so many lines; the job's id."""
    asks = itertools.islice(itertools.cycle(door.world().asks), lines)
    file = "uscc,purpose,mandate\n" + "".join(f"{code},{PURPOSE},{mandate}\n" for code, mandate in asks)
    told = bank.post("/v1/jobs", content=file.encode())
    assert told.status_code == 200, told.text
    return str(told.json()["job_id"])


def wait(bank: httpx.Client, name: str) -> None:
    """Until it is done."""
    while bank.get(f"/v1/jobs/{name}").json()["state"] != "done":
        time.sleep(0.1)


def _bank(port: int) -> httpx.Client:
    url, form = f"http://127.0.0.1:{port}", {"grant_type": "client_credentials"}
    told = httpx.post(f"{url}/oauth2/token", data=form, auth=(BANK, door.world().secret)).json()
    headers = {"Authorization": f"Bearer {told['access_token']}", "Content-Type": "text/csv"}
    return httpx.Client(base_url=url, headers=headers, timeout=60)
