"""A bank has a secret of its own for the symmetric signature of its webhooks, which the reference library verifies."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path
from typing import Any

from serving_webhook_receiver import WebhookReceiver
from standardwebhooks import Webhook

from serving.endpoints.monitoring.watch_store import WatchStore, WebhookEndpoint
from serving.store.store import open_store


def request(running: Any, method: str, path: str, body: Any = None, bank: str = "bohai") -> Any:
    headers = {"Authorization": f"Bearer {running.token(bank)}"}
    return running.http.request(method, path, json=body, headers=headers)


def test_a_bank_gets_one_secret_until_it_wants_another_and_it_is_never_shown_again(serve: Any) -> None:
    with serve(webhooks_to_loopback=True, chores=False) as running, WebhookReceiver() as receiver:
        address = {"url": receiver.url}
        first, again = (request(running, "PUT", "/v1/webhook", address).json() for _ in range(2))
        assert first == again
        assert request(running, "GET", "/v1/webhook").json() == {"url": receiver.url, "keys": "/.well-known/jwks.json"}
        assert request(running, "POST", "/v1/webhook/trial").json()["heard"] is True
        _, headers, body = receiver.received[-1]
        assert Webhook(first["secret"]).verify(body, headers)["type"] == "webhook.tried"
        other = request(running, "PUT", "/v1/webhook", {**address, "new_secret": True}).json()["secret"]
        assert other != first["secret"]
        assert request(running, "PUT", "/v1/webhook", address, bank="jincheng").json()["secret"] not in (
            other,
            first["secret"],
        )
        written = (running.world.root / "ledger.jsonl").read_text()
        assert other.removeprefix("whsec_") not in written


def test_a_file_of_before_secrets_is_opened_and_gets_one_when_the_address_is_set_again(tmp_path: Path) -> None:
    with contextlib.closing(sqlite3.connect(tmp_path / "watches.db")) as old:
        old.execute("CREATE TABLE webhook (bank TEXT PRIMARY KEY, url TEXT NOT NULL) STRICT")
        old.execute("INSERT INTO webhook VALUES ('bohai', 'https://bank.example/hook')")
        old.commit()
    with contextlib.closing(open_store(tmp_path / "access.db")) as opened:
        store = WatchStore(opened)
        assert store.webhook("bohai") == WebhookEndpoint("https://bank.example/hook", "")
        made = store.set_webhook("bohai", "https://bank.example/hook", "whsec_new", replace=False)
        assert made.secret == "whsec_new"
        assert "whsec_new" not in repr(made)
