"""The service and one request to each POST of the bank's API, with what the ledger and the databases hold of them."""

from __future__ import annotations

import sqlite3
from typing import Any

from serving_post_requests import post_requests, send
from serving_webhook_receiver import WebhookReceiver
from serving_world import PLATFORM

from serving.auth.access_database import AccessDatabase
from serving.auth.mandates import revoke

MADE = {"/v1/objections": "objection", "/v1/watches": "watch", "/v1/jobs": "job"}  # path: table
PLACES = {"objection": "access.db", "watch": "watches.db", "job": "jobs.db"}


class PostHarness:
    """The running service, a webhook receiver, and one request to each path."""

    def __init__(self, running: Any, receiver: WebhookReceiver) -> None:
        self.running, self.world, self.receiver = running, running.world, receiver
        self.requests = post_requests(running, receiver)

    def post(self, path: str, key: str | bytes | None = "k", **more: Any) -> Any:
        return send(self.running, self.requests[path], key, **more)

    def count(self, path: str) -> int:
        return len(self.running.entries(self.requests[path].verb))

    def rows(self, path: str) -> int:
        table = MADE[path]
        with sqlite3.connect(self.world.root / PLACES[table]) as db:
            (count,) = db.execute(f"SELECT count(*) FROM {table}").fetchone()
        db.close()
        return int(count)

    def revoke_all(self) -> None:
        access = AccessDatabase(self.world.root / "access.db")
        for (mandate,) in access.rows("SELECT id FROM mandate"):
            revoke(access, str(mandate), by=PLATFORM, ledger=self.world.ledger)
        access.close()
