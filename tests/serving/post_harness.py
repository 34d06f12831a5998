"""The service and one request to each POST of the bank's API, with what the ledger and the databases hold of them."""

from __future__ import annotations

from typing import Any

from serving_post_requests import post_requests, send
from serving_webhook_receiver import WebhookReceiver
from serving_world import PLATFORM

from serving.auth.access_database import AccessDatabase
from serving.auth.mandates import revoke
from serving.store.store import open_store, statement

MADE = {"/v1/objections": "objection", "/v1/watches": "watch", "/v1/jobs": "job",
        "/v1/mandates": "application", "/v1/mandates/batch": "application",
        "/v1/outcomes": "outcome"}  # path: table # fmt: skip


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
        store, only = open_store(self.world.settings().store_place), ""
        if MADE[path] == "application":
            only = f" WHERE batch {'<>' if path.endswith('batch') else '='} ''"
        ((count,),) = store.query(statement(f"SELECT count(*) FROM {MADE[path]}{only}"))
        store.close()
        return int(count)

    def revoke_all(self) -> None:
        access = AccessDatabase(self.world.root / "access.db")
        for (mandate,) in access.rows("SELECT id FROM mandate"):
            revoke(access, str(mandate), by=PLATFORM, ledger=self.world.ledger)
        access.close()
