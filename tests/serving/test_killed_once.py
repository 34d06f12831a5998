"""Killed anywhere while it makes what lasts, the service makes it once for each key, and tells whoever asks again."""

from __future__ import annotations

import random
import signal
import sqlite3
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

import httpx
import pytest
from serving_live import free_port, serving
from serving_world import PURPOSE, codes

from serving.jobs.columns import CSV, HEAD

pytestmark = pytest.mark.servers
KILLS, AFTER, BATCH = 6, "post_loan_management", 20
CODE = codes("enterprise", 1)[0]
TABLES = {"/v1/objections": ("access.db", "objection"), "/v1/watches": ("watches.db", "watch"),
          "/v1/jobs": ("jobs.db", "job")}  # fmt: skip


class Caller(threading.Thread):
    """Posts to one path, key after key, and each key until it is answered, over however many lives of the service."""

    def __init__(self, path: str, url: str, token: str, sent: dict[str, Any]) -> None:
        super().__init__()
        self.path, self.url, self.token, self.sent = path, url, token, sent
        self.told: dict[str, bytes] = {}
        self.asked = 0
        self.enough = threading.Event()

    def run(self) -> None:
        while not self.enough.is_set():
            key = f"k-{len(self.told)}"
            headers = {"Authorization": f"Bearer {self.token}", **self.sent.get("headers", {}), "Idempotency-Key": key}
            self.asked += 1
            try:
                response = httpx.post(self.url + self.path, timeout=20, **{**self.sent, "headers": headers})
            except httpx.HTTPError:
                time.sleep(0.02)
                continue
            assert response.status_code == 200, response.text
            self.told[key] = response.content
            if self.path == "/v1/jobs":  # two at once are a bank's
                own = {"Authorization": f"Bearer {self.token}"}
                while not self._end(f"{self.url}/v1/jobs/{response.json()['job_id']}", own):
                    time.sleep(0.02)

    def _end(self, url: str, headers: dict[str, str]) -> bool:
        try:
            return httpx.delete(url, headers=headers, timeout=20).status_code == 200
        except httpx.HTTPError:
            return False


def rows(path: Path, table: str) -> int:
    with sqlite3.connect(path) as db:
        (count,) = db.execute(f"SELECT count(*) FROM {table}").fetchone()
    db.close()
    return int(count)


def test_killed_while_it_makes_things_each_key_has_made_one(world: Any, template: Any) -> None:
    port, secret = free_port(), template[1]["bohai"]
    more = {"HAIHE_SERVICE_WEBHOOKS_TO_LOOPBACK": "true", "HAIHE_SERVICE_CHORES": "false"}
    ask = {"uscc": CODE, "purpose": PURPOSE, "mandate": world.grant("bohai", CODE).id}
    watch = {"uscc": CODE, "purpose": AFTER, "mandate": world.grant("bohai", CODE, purpose=AFTER).id}
    callers: list[Caller] = []
    for life in range(KILLS):
        with serving(world, port, **more) as (url, _, process):
            if not callers:
                form = {"grant_type": "client_credentials"}
                token = httpx.post(f"{url}/oauth2/token", data=form, auth=("bohai", secret)).json()["access_token"]
                bearer = {"Authorization": f"Bearer {token}"}
                score = httpx.post(f"{url}/v1/scores", json=ask, headers=bearer).json()["score_id"]
                httpx.put(f"{url}/v1/webhook", json={"url": "http://127.0.0.1:9/x"}, headers=bearer)
                file = f"{','.join(HEAD)}\n{CODE},{PURPOSE},{ask['mandate']}\n".encode()
                callers = [Caller(path, url, token, sent) for path, sent in (
                    ("/v1/objections", {"json": {"score_id": score, "kind": "explanation", "statement": "为什么"}}),
                    ("/v1/watches", {"json": watch}),
                    ("/v1/jobs", {"content": file, "headers": {"Content-Type": CSV}}),
                    ("/v1/scores/batch", {"json": {"asks": [ask] * BATCH}}),
                )]  # fmt: skip
                for caller in callers:
                    caller.start()
            before = [len(caller.told) for caller in callers]
            until = time.monotonic() + 30
            while any(len(caller.told) < told + 2 for caller, told in zip(callers, before, strict=True)):
                assert time.monotonic() < until
                assert all(caller.is_alive() for caller in callers)
                time.sleep(0.005)
            time.sleep(random.uniform(0, 0.1))
            if life < KILLS - 1:
                process.send_signal(signal.SIGKILL)
                process.wait()
                continue
            for caller in callers:
                caller.enough.set()
            for caller in callers:
                caller.join(30)
            lost = sum(caller.asked - len(caller.told) for caller in callers)
            for caller in callers:  # whoever asks again gets what was told, to the byte
                headers = {"Authorization": f"Bearer {caller.token}", **caller.sent.get("headers", {})}
                for key in list(caller.told)[-3:]:
                    under = {**headers, "Idempotency-Key": key}
                    again = httpx.post(url + caller.path, timeout=20, **{**caller.sent, "headers": under})
                    assert again.content == caller.told[key]
    assert lost >= KILLS, "nothing was cut off"
    made = Counter(entry.verb for entry in world.ledger.verified())
    for caller in callers[:3]:
        place, table = TABLES[caller.path]
        verb = {"objection": "objection.asked", "watch": "watch.opened", "job": "job.sent"}[table]
        assert len(set(caller.told.values())) == len(caller.told)
        assert (rows(world.root / place, table), made[verb]) == (len(caller.told), len(caller.told)), table
    answered = [
        entry for entry in world.ledger.entries() if entry.verb == "score.answered" and "batch" in entry.because
    ]
    assert len({entry.object for entry in answered}) == len(answered) == BATCH * len(callers[3].told)
