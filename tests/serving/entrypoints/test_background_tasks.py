"""The chores as the process they are: it delivers and scores, and a service killed -9 loses neither."""

from __future__ import annotations

import csv
import io
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from haihe_client import ServiceKeys, WebhookVerifier
from serving_service_process import free_port, serving
from serving_webhook_receiver import WebhookReceiver
from serving_world import PURPOSE, codes

from serving.audit.signatures import HEADER, verify

pytestmark = pytest.mark.servers
LINES = 6000
GOOD, OTHER = codes("enterprise", 2)


def until(holds: Callable[[], Any], seconds: float = 60) -> Any:
    end = time.monotonic() + seconds
    while not (result := holds()):
        assert time.monotonic() < end, "it did not come to be"
        time.sleep(0.05)
    return result


def test_a_service_killed_in_the_middle_of_a_job_and_of_a_delivery_ends_both(world: Any, template: Any) -> None:
    port, more = free_port(), {"HAIHE_SERVICE_WEBHOOKS_TO_LOOPBACK": "true"}
    score_mandate = world.grant("bohai", GOOD).id
    watching = [world.grant("bohai", code, purpose="post_loan_management").id for code in codes("enterprise", 5)]
    form, auth = {"grant_type": "client_credentials"}, ("bohai", template[1]["bohai"])

    def client(url: str) -> httpx.Client:
        token = httpx.post(f"{url}/oauth2/token", data=form, auth=auth).json()["access_token"]
        return httpx.Client(base_url=url, headers={"Authorization": f"Bearer {token}"}, timeout=30)

    with WebhookReceiver(503) as receiver:
        with serving(world, port, **more) as (url, _, process), client(url) as bank:
            assert bank.put("/v1/webhook", json={"url": receiver.url}).status_code == 200
            for code, mandate in zip(codes("enterprise", 5), watching, strict=True):
                watch = {"uscc": code, "purpose": "post_loan_management", "mandate": mandate,
                         "kinds": ["grade_drop", "grade_rise"]}  # fmt: skip
                assert bank.post("/v1/watches", json=watch).status_code == 200
            file = "uscc,purpose,mandate\n" + f"{GOOD},{PURPOSE},{score_mandate}\n" * LINES
            name = bank.post("/v1/jobs", content=file.encode()).json()["job_id"]
            model = "enterprise"
            seals = template[2][model]
            world.promote(model, seals[2])
            world.show(model, seals[2], seals[3])  # another version: the fifth of these has another grade
            until(lambda: bank.get(f"/v1/jobs/{name}").json()["done"] > 0)
            deliveries = until(lambda: list(receiver.received))
            process.send_signal(signal.SIGKILL)
            process.wait()
        assert deliveries
        first = len(receiver.received)
        receiver.statuses = [200]
        with serving(world, port, **more) as (url, log, _), client(url) as bank:
            state = until(lambda: (job := bank.get(f"/v1/jobs/{name}").json())["state"] == "done" and job, 120)
            assert (state["done"], state["answered"]) == (LINES, LINES)
            until(lambda: not bank.get("/v1/deliveries?status=waiting").json()["deliveries"])
            result = bank.get(f"/v1/jobs/{name}/result")
    written = log.read_text()
    for secret in (
        *codes("enterprise", 5),
        *map(world.pseudonyms.hex_of, codes("enterprise", 5)),
        *watching,
        score_mandate,
    ):
        assert secret not in written
    verify(result.content, result.headers[HEADER], world.ring)
    rows = list(csv.DictReader(io.StringIO(result.text)))
    assert [int(row["line"]) for row in rows] == list(range(1, LINES + 1))
    entries = {entry.object: entry for entry in world.ledger.verified()}
    assert all(entries[row["score_id"]].id == row["entry"] for row in rows)
    verifier = WebhookVerifier(ServiceKeys(world.ring.keys["service"]))
    events = [verifier.read(headers, body) for _, headers, body in receiver.received[first:]]
    assert events
    assert all(one["data"]["version_changed"] for one in events)
    ids = {headers["webhook-id"] for _, headers, _ in receiver.received[:first]}
    assert ids <= {
        headers["webhook-id"] for _, headers, _ in receiver.received[first:]
    }  # the same word, known by its id
    assert all(entries[name].verb == "webhook.delivered" for name in ids)


def kill_once_there(above: int, name: bytes) -> None:
    """Kill the first process below `above` whose command line holds `name`."""

    def below(pid: int) -> list[int]:
        tasks = Path(f"/proc/{pid}/task").glob("*/children")
        children = [int(child) for task in tasks for child in task.read_text().split()]
        return [*children, *(one for child in children for one in below(child))]

    processes = until(lambda: [pid for pid in below(above) if name in Path(f"/proc/{pid}/cmdline").read_bytes()])
    os.kill(processes[0], signal.SIGKILL)


def test_chores_that_fall_are_started_again(world: Any, template: Any) -> None:
    mandate, form = world.grant("bohai", GOOD).id, {"grant_type": "client_credentials"}
    with serving(world, free_port()) as (url, _, process):
        token = httpx.post(f"{url}/oauth2/token", data=form, auth=("bohai", template[1]["bohai"])).json()[
            "access_token"
        ]
        with httpx.Client(base_url=url, headers={"Authorization": f"Bearer {token}"}) as bank:

            def done(lines: int) -> None:
                file = "uscc,purpose,mandate\n" + f"{GOOD},{PURPOSE},{mandate}\n" * lines
                name = bank.post("/v1/jobs", content=file.encode()).json()["job_id"]
                until(lambda: bank.get(f"/v1/jobs/{name}").json()["state"] == "done")

            done(3)
            kill_once_there(process.pid, b"serving.entrypoints.job_process")
            done(3000)
            (child,) = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
            os.kill(int(child), signal.SIGKILL)
            done(3)
