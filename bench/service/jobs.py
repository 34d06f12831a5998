"""Jobs in figures: lines of a file scored a second, and what the answers beside it notice of that.

The service and its chores share core 0, which is harsher than any deployment; the load is on core 1.
"""

from __future__ import annotations

import io
import itertools
import os
import statistics
import time

import httpx
import pyarrow as pa
import pyarrow.parquet as pq

from bench.record import record
from bench.service import http_speed, load_generator
from bench.service.service_world import BANK, PURPOSE

LINES, RUNS, SECONDS, CONNECTIONS = 20_000, 5, 3.0, 4


def job_lines_per_second() -> None:
    """Lines a second from upload to result with nothing beside: by one process on one core, and by one a core."""
    for cores in dict.fromkeys((1, os.cpu_count() or 1)):
        served = http_speed._server("serving", cores=cores, HAIHE_SERVICE_JOB_PROCESSES=str(cores))
        with served as (port, _), connected(port) as bank:
            wait(bank, send(bank, 5_000))  # starts chores and processes
            for form in ("csv", "parquet"):
                began = time.monotonic()
                name = send(bank, LINES, form)
                upload_seconds = time.monotonic() - began
                wait(bank, name)
                took = time.monotonic() - began
                more = {"lines": LINES, "seconds": round(took, 2), "form": form, "processes": cores,
                        "upload_seconds": round(upload_seconds, 2)}  # fmt: skip
                record("job_lines_per_second", LINES / took, "lines/s", data=http_speed.DATA, more=more)


def job_beside_answers() -> None:
    """Ratios of the answers' p50, p99 and number a second with a job under way and without, in pairs."""
    with http_speed._server("serving") as (port, _), connected(port) as bank:
        wait(bank, send(bank, 100))  # starts chores and processes
        requests, alone, loaded, lines = http_speed.score_requests(port), [], [], 0
        load_generator.run(port, requests, CONNECTIONS, 1.0)
        for _ in range(RUNS):
            alone.append(load_generator.run(port, requests, CONNECTIONS, SECONDS))
            name = send(bank, 100_000)
            time.sleep(0.5)
            loaded.append(load_generator.run(port, requests, CONNECTIONS, SECONDS))
            job = bank.get(f"/v1/jobs/{name}").json()
            assert job["state"] in ("queued", "running"), "the job was over too soon to tell"
            lines += job["done"]
            bank.delete(f"/v1/jobs/{name}")
        for what in ("p50_ms", "p99_ms", "rps"):
            ratios = [getattr(b, what) / getattr(a, what) for a, b in zip(alone, loaded, strict=True)]
            details = {"runs": RUNS, "seconds": SECONDS, "connections": CONNECTIONS, "lines_done": lines,
                    "range": [round(min(ratios), 2), round(max(ratios), 2)],
                    "alone": round(statistics.median(getattr(a, what) for a in alone), 3),
                    "beside": round(statistics.median(getattr(b, what) for b in loaded), 3)}  # fmt: skip
            against = "the same service without a job"
            name = f"job_beside_answers_{what}"
            record(name, statistics.median(ratios), "times", against=against, data=http_speed.DATA, more=details)


def send(bank: httpx.Client, lines: int, form: str = "csv") -> str:
    """Send a file of so many lines; the job's id."""
    score_requests = list(itertools.islice(itertools.cycle(http_speed.world().score_requests), lines))
    if form == "csv":
        body = (
            "uscc,purpose,mandate\n" + "".join(f"{code},{PURPOSE},{mandate}\n" for code, mandate in score_requests)
        ).encode()
    else:
        out = io.BytesIO()
        codes, mandates = zip(*score_requests, strict=True)
        pq.write_table(pa.table({"uscc": codes, "purpose": [PURPOSE] * lines, "mandate": mandates}), out)
        body = out.getvalue()
    response = bank.post("/v1/jobs", content=body)
    assert response.status_code == 200, response.text
    return str(response.json()["job_id"])


def wait(bank: httpx.Client, name: str) -> None:
    """Until it is done."""
    while bank.get(f"/v1/jobs/{name}").json()["state"] != "done":
        time.sleep(0.1)


def connected(port: int) -> httpx.Client:
    """The bank, with a token."""
    url, form = f"http://127.0.0.1:{port}", {"grant_type": "client_credentials"}
    token = httpx.post(f"{url}/oauth2/token", data=form, auth=(BANK, http_speed.world().secret)).json()
    headers = {"Authorization": f"Bearer {token['access_token']}", "Content-Type": "text/csv"}
    return httpx.Client(base_url=url, headers=headers, timeout=120)
