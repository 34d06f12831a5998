"""A bank is informed of changes of the subjects that it watches: signed, at least once, and only while the
mandate holds.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from haihe_client import ServiceKeys, WebhookVerifier
from serving_post_requests import PostRequest, send, simulate_kill
from serving_webhook_receiver import WebhookReceiver
from serving_world import FEATURES, PLATFORM, TODAY, codes, sample, write_snapshot

from credit.seal import Kind
from serving.app.wiring import background_stores, open_service
from serving.auth.access_database import AccessDatabase
from serving.auth.mandates import revoke
from serving.endpoints.monitoring.changes import KINDS, watched_state
from serving.endpoints.monitoring.delivery import Backoff, deliver
from serving.endpoints.monitoring.watch_review import review_watches
from serving.endpoints.monitoring.watch_store import DEAD, DELIVERED, WAITING, WITHDRAWN
from serving.endpoints.monitoring.webhook_sender import WebhookSender

AFTER = "post_loan_management"
GOOD, OTHER = codes("enterprise", 2)
GRADES = ("A", "A-", "B+", "B", "B-", "C+", "C", "C-", "D")
SOON = Backoff(first=1e-6, longest=1e-6, attempts=3)


class Bank:
    """The bank bohai, its receiver, and the chores done one at a time by hand."""

    def __init__(self, running: Any, receiver: WebhookReceiver) -> None:
        self.running, self.world, self.receiver = running, running.world, receiver
        self.service = open_service(self.world.settings())
        self.service.snapshots.refresh()
        self.store, self.jobs = background_stores(self.service)
        self.webhooks = WebhookVerifier(ServiceKeys(self.world.ring.keys["service"]))

    def request(self, method: str, path: str, body: Any = None, bank: str = "bohai") -> Any:
        headers = {"Authorization": f"Bearer {self.running.token(bank)}"}
        return self.running.http.request(method, path, json=body, headers=headers)

    def watch(self, code: str = GOOD, **more: Any) -> str:
        assert self.request("PUT", "/v1/webhook", {"url": self.receiver.url}).status_code == 200
        mandate = self.world.grant("bohai", code, purpose=AFTER).id
        requested = {"uscc": code, "purpose": AFTER, "mandate": mandate, "kinds": list(KINDS)} | more
        answer = self.request("POST", "/v1/watches", requested)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["watch_id"])

    def snapshot(self, *, more: dict[str, int], code: str = GOOD, count: int = 40) -> str:
        """A new snapshot in which this subject's features are other by so much."""
        model, (version, old, *_) = "enterprise", self.running.seals["enterprise"]
        del old
        keys, rows = self.world.sorted_keys(model, count)
        features, _ = sample(40, 1)
        for name, value in more.items():
            features[codes(model, 40).index(code), FEATURES.index(name)] += value
        write_snapshot(folder := self.world.root / "made", self.world.shelf.open(version).path, keys, features[rows])
        files = {path.name: path.read_bytes() for path in folder.iterdir()}
        release = self.world.seal(Kind.RELEASE, "custody", {"rows": str(more).encode()}, purpose="scoring")
        made = self.world.seal(Kind.SNAPSHOT, "compute", files, (version, release), model=model, version=version,
                               as_of="2026-11-01", subjects=count, features=list(FEATURES))  # fmt: skip
        self.world.show(model, version, made)
        return str(made)

    def look(self) -> None:
        self.service.snapshots.refresh()
        review_watches(self.service, self.store)

    def deliver(self, backoff: Backoff = SOON, **more: Any) -> int:
        return asyncio.run(deliver(self.service, self.store, WebhookSender(loopback=True, **more), backoff))

    def states(self) -> list[str]:
        answer = self.request("GET", "/v1/deliveries").json()["deliveries"]
        return [one["status"] for one in answer]


@pytest.fixture
def bank(serve: Any) -> Iterator[Bank]:
    with serve(webhooks_to_loopback=True, chores=False) as running, WebhookReceiver() as receiver:
        made = Bank(running, receiver)
        yield made
        made.service.ledger_writer.close()
        made.service.access.close()


def test_a_bank_is_informed_of_a_change_once_it_happened_and_not_before(bank: Bank) -> None:
    name = bank.watch()
    bank.look()
    assert bank.deliver() == 0
    bank.snapshot(more={"penalties_12m": 7})
    bank.look()
    assert bank.deliver() == 1
    ((path, headers, body),) = bank.receiver.received
    answer = bank.webhooks.read(headers, body)
    assert (path, answer["type"], answer["data"]["watch_id"]) == ("/hook", "watch.changed", name)
    kinds = {change["kind"]: change for change in answer["data"]["changes"]}
    assert set(kinds) == {"grade_drop", "penalty"}
    assert kinds["penalty"] == {"kind": "penalty", "features": ["penalties_12m"], "rules": ["penalties_12m"]}
    assert kinds["grade_drop"]["to"] == "D"
    bank.look()
    assert (bank.deliver(), bank.states()) == (0, [DELIVERED])
    verbs = [
        entry.verb for entry in bank.world.ledger.entries() if entry.verb.partition(".")[0] in ("watch", "webhook")
    ]
    assert verbs == ["webhook.set", "watch.opened", "watch.changed", "webhook.delivered"]
    bank.snapshot(more={})  # repaired: it is as it was
    bank.look()
    bank.deliver()
    answer = bank.webhooks.read(*bank.receiver.received[-1][1:])
    assert [change["kind"] for change in answer["data"]["changes"]] == ["grade_rise", "eased"]
    assert bank.world.ledger.verify()


def test_a_message_contains_neither_the_code_nor_the_pseudonym_nor_a_value(bank: Bank) -> None:
    bank.watch()
    bank.snapshot(more={"penalties_12m": 7})
    bank.look()
    bank.deliver()
    text = bank.receiver.received[0][2].decode()
    for secret in (GOOD, bank.world.pseudonyms.hex_of(GOOD), "probability", "points", '"reasons"'):
        assert secret not in text
    everywhere = [path for path in bank.world.root.rglob("*") if path.name.startswith(("access.db", "ledger"))]
    assert len(everywhere) >= 2
    assert not any(GOOD.encode() in path.read_bytes() for path in everywhere)


@pytest.mark.attack
def test_a_revoked_or_expired_mandate_ends_the_watch_and_withdraws_its_deliveries(bank: Bank) -> None:
    bank.watch()
    bank.snapshot(more={"penalties_12m": 7})
    bank.look()
    access, ledger = AccessDatabase(bank.world.root / "access.db"), bank.world.ledger
    mandate = bank.store.watches()[0].mandate
    revoke(access, mandate, by=PLATFORM, ledger=ledger)
    access.close()
    assert bank.deliver() == 1  # looked at, and not sent
    assert (bank.receiver.received, bank.states(), bank.store.watches()) == ([], [WITHDRAWN], [])
    name = bank.watch(OTHER)
    assert bank.request("GET", f"/v1/watches/{name}").json()["ended"] is None
    later = open_service(bank.world.settings(today=TODAY + timedelta(days=11)))
    review_watches(later, bank.store)
    assert "not in force" in bank.request("GET", f"/v1/watches/{name}").json()["ended"]
    assert bank.store.watch(name).reported is None  # type: ignore[union-attr]
    later.ledger_writer.close()
    later.access.close()


@pytest.mark.attack
def test_a_change_repaired_before_its_delivery_is_not_sent(bank: Bank) -> None:
    bank.watch()
    bank.receiver.statuses = [500]
    bank.snapshot(more={"penalties_12m": 7})
    bank.look()
    for _ in range(3):
        bank.deliver()
        time.sleep(0.01)
    assert bank.states() == [DEAD]
    bank.snapshot(more={"penalties_12m": 0})
    bank.look()
    assert bank.states() == [WITHDRAWN]
    name = bank.request("GET", "/v1/deliveries").json()["deliveries"][0]["delivery_id"]
    assert bank.request("POST", f"/v1/deliveries/{name}/resend").status_code == 404
    bank.receiver.statuses = [200]
    assert bank.deliver() == 0


def test_a_subject_that_left_the_snapshots_is_watched_no_more(bank: Bank) -> None:
    last = codes("enterprise", 40)[-1]
    name = bank.watch(last)
    bank.snapshot(more={}, code=GOOD, count=39)
    bank.look()
    assert "no more" in bank.request("GET", f"/v1/watches/{name}").json()["ended"]


def test_a_failing_delivery_is_retried_later_and_later_then_is_dead_and_can_be_resent(bank: Bank) -> None:
    bank.watch()
    bank.receiver.statuses = [500, 302, 404, 200]
    bank.snapshot(more={"penalties_12m": 7})
    bank.look()
    ids = set()
    for tried in range(3):
        assert bank.deliver() == 1
        ids.add(bank.receiver.received[tried][1]["webhook-id"])
        time.sleep(0.01)
    assert (len(ids), bank.deliver(), bank.states()) == (1, 0, [DEAD])
    (dead,) = bank.request("GET", "/v1/deliveries?status=dead").json()["deliveries"]
    assert (dead["attempts"], dead["last"]) == (3, "status 404")
    assert bank.request("POST", f"/v1/deliveries/{dead['delivery_id']}/resend", bank="jincheng").status_code == 404
    assert bank.request("POST", f"/v1/deliveries/{dead['delivery_id']}/resend").json()["status"] == WAITING
    assert bank.deliver() == 1
    assert bank.states() == [DELIVERED]
    verbs = [entry.verb for entry in bank.world.ledger.entries() if entry.verb.startswith("webhook.")]
    assert verbs[1:] == ["webhook.failed"] * 2 + ["webhook.dead", "webhook.resent", "webhook.delivered"]


@pytest.mark.attack
def test_another_bank_sees_and_ends_nothing_and_a_mandate_for_one_decision_opens_no_watch(bank: Bank) -> None:
    name = bank.watch()
    assert bank.request("GET", f"/v1/watches/{name}", bank="jincheng").status_code == 404
    assert bank.request("DELETE", f"/v1/watches/{name}", bank="jincheng").status_code == 404
    assert bank.request("GET", "/v1/watches", bank="jincheng").json() == {"watches": []}
    assert bank.request("GET", "/v1/webhook", bank="jincheng").json()["url"] is None
    mandate = bank.store.watches()[0].mandate
    bank.request("PUT", "/v1/webhook", {"url": bank.receiver.url}, bank="jincheng")
    requested = {"uscc": GOOD, "purpose": AFTER, "mandate": mandate}
    assert bank.request("POST", "/v1/watches", requested, bank="jincheng").status_code == 403
    once = bank.world.grant("bohai", GOOD).id
    for purpose in ("credit_granting", AFTER):
        requested = {"uscc": GOOD, "purpose": purpose, "mandate": once}
        assert bank.request("POST", "/v1/watches", requested).status_code == 403
    assert bank.request("DELETE", f"/v1/watches/{name}").json()["ended"] == "ended by the bank"
    assert bank.request("GET", "/v1/watches").json() == {"watches": []}


@pytest.mark.attack
def test_without_the_setting_no_webhook_goes_to_this_machine(serve: Any) -> None:
    with serve(chores=False) as running, WebhookReceiver() as receiver:
        headers = {"Authorization": f"Bearer {running.token()}"}
        for url in (receiver.url, f"https://localhost:{receiver.port}/", "https://127.0.0.1/", "https://127.1/"):
            answer = running.http.put("/v1/webhook", json={"url": url}, headers=headers)
            assert answer.status_code in (403, 404, 422), answer.text
        assert receiver.received == []


def test_the_state_of_a_subject_agrees_with_its_answer(bank: Bank) -> None:
    day = bank.service.settings.day()
    snapshot = bank.service.snapshots.for_model("enterprise", day)
    row = snapshot.row_of(bank.world.pseudonyms.key_of(GOOD))
    assert row is not None
    answer = bank.running.score(GOOD, bank.world.grant("bohai", GOOD).id).json()
    state = watched_state(snapshot, row)
    assert (state.grade, list(state.rules)) == (answer["grade"], [rule["code"] for rule in answer["rules"]])
    assert set(state.features) == {"penalties_12m"}
    assert np.isfinite(state.features["penalties_12m"])  # type: ignore[arg-type]
    assert Path(bank.world.root / "access.db").stat().st_mode & 0o077 == 0


def test_a_dead_delivery_is_resent_once_under_one_key_also_when_the_process_was_killed(
    bank: Bank,
) -> None:
    bank.watch()
    bank.receiver.statuses = [500, 500, 500, 500, 500, 500, 200]
    bank.snapshot(more={"penalties_12m": 7})
    bank.look()
    dead = [(bank.deliver(), time.sleep(0.01)) for _ in range(3)]
    assert len(dead) == 3
    (letter,) = bank.store.deliveries("bohai", (DEAD,))
    requested = PostRequest(f"/v1/deliveries/{letter.id}/resend", "webhook.resent", {}, None)
    first = send(bank.running, requested, "k")
    assert first.json()["status"] == WAITING
    simulate_kill(bank.running)
    assert send(bank.running, requested, "k").content == first.content
    assert len(bank.running.entries("webhook.resent")) == 1
    for _ in range(3):
        bank.deliver()
        time.sleep(0.01)
    assert bank.states() == [DEAD]
    assert send(bank.running, requested, "k").content == first.content
    assert bank.states() == [DEAD], "the same key does not send it a second time"
    assert send(bank.running, requested, "another").json()["status"] == WAITING
    assert send(bank.running, requested, "k2").status_code == 404


def test_a_trial_gives_its_outcome_and_is_signed_and_recorded(bank: Bank) -> None:
    assert bank.request("POST", "/v1/webhook/trial").status_code == 422  # no address is set
    assert bank.request("PUT", "/v1/webhook", {"url": bank.receiver.url}).status_code == 200
    answer = bank.request("POST", "/v1/webhook/trial").json()
    assert (answer["heard"], answer["came"]) == (True, "status 200")
    (_, headers, body) = bank.receiver.received[-1]
    message = bank.webhooks.read(headers, body)
    assert (message["type"], message["data"]) == ("webhook.tried", {"bank": "bohai"})
    assert {name.lower(): value for name, value in headers.items()}["webhook-id"] == answer["webhook_id"]
    bank.receiver.statuses[:] = [500]
    assert bank.request("POST", "/v1/webhook/trial").json()["heard"] is False
    bank.request("PUT", "/v1/webhook", {"url": "http://127.0.0.1:9/nobody"})
    lost = bank.request("POST", "/v1/webhook/trial").json()
    assert (lost["heard"], lost["came"].startswith("The webhook did not answer")) == (False, True)
    entries = bank.running.entries("webhook.tried")
    assert [entry.details["came"] for entry in entries] == ["status 200", "status 500", lost["came"]]
    assert bank.store.deliveries("bohai", (WAITING, DEAD, DELIVERED)) == []
