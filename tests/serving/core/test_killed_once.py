"""Killed in the middle of making what lasts, the service makes it once for each key, and answers a request again."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import httpx
import pytest
from serving_service_process import free_port, serving
from serving_webhook_receiver import WebhookReceiver
from serving_world import PURPOSE, codes

from serving.responses.job_columns import CSV, INPUT_COLUMNS
from serving.store.store import open_store, statement

pytestmark = pytest.mark.servers
KILLED_SERVICE = str(Path(__file__).parents[1] / "killed_service.py")
AFTER, CODE, BATCH_SIZE = "post_loan_management", codes("enterprise", 1)[0], 40
DEATHS = [  # the second dies while it does its own, after it has done what the first had left
    (path, verb, when, number + (0 if when == "before" else whole))
    for path, verb, number, whole in (
        ("/v1/objections", "objection.asked", 1, 1), ("/v1/watches", "watch.opened", 1, 1),
        ("/v1/jobs", "job.sent", 1, 1), ("/v1/webhook/trial", "webhook.tried", 1, 1),
        ("/v1/scores/batch", "score.answered", 25, 20),
    ) for when in ("before", "after")
]  # fmt: skip
LAST = ("", "none", "before", 1)
TABLES = ("objection", "watch", "job")


class Bank:
    """The bank bohai with one request to each path, and the answer to each key, which is empty while it is lost."""

    def __init__(self, world: Any, receiver: WebhookReceiver) -> None:
        self.url, self.bearer, self.answers = "", dict[str, str](), dict[tuple[str, str], bytes]()
        self.request = {"uscc": CODE, "purpose": PURPOSE, "mandate": world.grant("bohai", CODE).id}
        watch = {"uscc": CODE, "purpose": AFTER, "mandate": world.grant("bohai", CODE, purpose=AFTER).id}
        file = f"{','.join(INPUT_COLUMNS)}\n{CODE},{PURPOSE},{self.request['mandate']}\n".encode()
        self.sent: dict[str, dict[str, Any]] = {
            "/v1/jobs": {"content": file, "headers": {"Content-Type": CSV}}, "/v1/watches": {"json": watch},
            "/v1/scores/batch": {"json": {"asks": [self.request] * BATCH_SIZE}}, "/v1/webhook/trial": {},
        }  # fmt: skip
        self.receiver = receiver

    def begin(self, url: str, secret: str) -> None:
        form = {"grant_type": "client_credentials"}
        token = httpx.post(f"{url}/oauth2/token", data=form, auth=("bohai", secret)).json()["access_token"]
        self.bearer["Authorization"] = f"Bearer {token}"
        assert httpx.put(f"{url}/v1/webhook", json={"url": self.receiver.url}, headers=self.bearer).status_code == 200
        score = httpx.post(f"{url}/v1/scores", json=self.request, headers=self.bearer).json()["score_id"]
        self.sent["/v1/objections"] = {"json": {"score_id": score, "kind": "explanation", "statement": "why?"}}

    def post(self, url: str, path: str, key: str) -> bytes:
        headers = {**self.bearer, **self.sent[path].get("headers", {}), "Idempotency-Key": key}
        response = httpx.post(url + path, timeout=20, **{**self.sent[path], "headers": headers})
        assert response.status_code == 200, (path, key, response.text)
        return response.content


def test_killed_before_and_after_each_entry_what_a_key_makes_is_made_once(world: Any, template: Any) -> None:
    port, more = free_port(), {"HAIHE_SERVICE_WEBHOOKS_TO_LOOPBACK": "true", "HAIHE_SERVICE_CHORES": "false"}
    with WebhookReceiver() as receiver:
        bank = Bank(world, receiver)
        for path, verb, when, number in [*DEATHS, LAST]:
            with serving(world, port, KILLED_SERVICE, verb, when, str(number), **more) as (url, _, process):
                if not bank.bearer:
                    bank.begin(url, template[1]["bohai"])
                for request, answer in bank.answers.items():
                    if not answer:
                        bank.answers[request] = bank.post(url, *request)
                if path:
                    with pytest.raises(httpx.HTTPError):
                        bank.post(url, path, when)
                    process.wait(10)
                    bank.answers[path, when] = b""
                else:
                    assert [bank.post(url, *request) for request in bank.answers] == list(bank.answers.values())
    entries = list(world.ledger.verified())
    made = Counter(entry.verb for entry in entries)
    assert {verb: made[verb] for _, verb, _, _ in DEATHS[:-2]} == {verb: 2 for _, verb, _, _ in DEATHS[:-2]}
    store = open_store(world.settings().store_place)
    counts = {table: store.query(statement(f"SELECT count(*) FROM {table}"))[0][0] for table in TABLES}
    store.close()
    assert counts == dict.fromkeys(TABLES, 2)
    parts = [entry.object for entry in entries if entry.verb == "score.answered" and "batch" in entry.details]
    assert len(set(parts)) == len(parts) == 2 * BATCH_SIZE
    webhook_ids = [
        {name.lower(): value for name, value in headers.items()}["webhook-id"] for _, headers, _ in receiver.received
    ]
    # Where no entry recorded that an event had been sent, it was sent again under its id.
    assert (len(webhook_ids), len(set(webhook_ids))) == (3, 2)
