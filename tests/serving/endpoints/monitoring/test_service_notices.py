"""Every bank with a webhook learns once that answers are stopped, and once that they are given again."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from haihe_client import ServiceKeys, WebhookVerifier
from serving_webhook_receiver import WebhookReceiver

from serving.app.wiring import background_stores, open_service
from serving.endpoints.monitoring.delivery import Backoff
from serving.endpoints.monitoring.service_notices import NoticeStore, deliver_notices, queue_notices
from serving.endpoints.monitoring.webhook_sender import WebhookSender
from serving.endpoints.monitoring.webhook_signing import new_secret

SOON = Backoff(first=1e-6, longest=1e-6, attempts=3)


class Notices:
    """The queue in a world, and the deliveries done by hand."""

    def __init__(self, world: Any) -> None:
        self.world, self.settings = world, world.settings()
        self.service = open_service(self.settings)
        self.watches, self.jobs = background_stores(self.service)
        self.store = NoticeStore(self.service.store)

    def act(self, *, stopped: bool, request: str, at: datetime | None = None) -> None:
        at = at or datetime.now(UTC)
        pointer = {"stopped": stopped, "why": "检修", "request": request, "at": at.isoformat()}
        queue_notices(self.watches, self.store, pointer)

    def deliver(self) -> int:
        return asyncio.run(deliver_notices(self.service, self.watches, self.store, WebhookSender(loopback=True), SOON))

    def entries(self, verb: str) -> list[Any]:
        return [entry for entry in self.world.ledger.entries() if entry.verb == verb]


@pytest.fixture
def notices(world: Any) -> Iterator[Notices]:
    made = Notices(world)
    yield made
    made.service.ledger_writer.close()
    made.service.store.close()


def test_each_bank_gets_a_signed_notice_of_each_act_once(notices: Notices) -> None:
    with WebhookReceiver() as first, WebhookReceiver() as second:
        for bank, receiver in (("bohai", first), ("jincheng", second)):
            notices.watches.set_webhook(bank, receiver.url, new_secret(), replace=False)
        for _ in range(2):  # a process that starts again queues nothing twice
            notices.act(stopped=True, request="request-1")
            notices.deliver()
        notices.act(stopped=False, request="request-2")
        assert notices.deliver() == 2
        assert notices.deliver() == 0
        verifier = WebhookVerifier(ServiceKeys(notices.world.ring.keys["service"]))
        for receiver in (first, second):
            messages = [verifier.read(headers, body) for _, headers, body in receiver.received]
            assert [(one["type"], one["data"]) for one in messages] == [
                ("answers.stopped", {"why": "检修"}), ("answers.started", {"why": "检修"}),
            ]  # fmt: skip
    assert len(notices.entries("webhook.delivered")) == 4


def test_a_receiver_that_fails_is_tried_again_and_given_up_at_last(notices: Notices) -> None:
    with WebhookReceiver(500) as receiver:
        notices.watches.set_webhook("bohai", receiver.url, new_secret(), replace=False)
        notices.act(stopped=True, request="request-1")
        end = time.monotonic() + 20
        while not notices.entries("webhook.dead"):
            assert time.monotonic() < end
            notices.deliver()
        assert notices.deliver() == 0
        assert len(receiver.received) == SOON.attempts
        assert len({json.dumps([h["webhook-id"] for _, h, _ in receiver.received])}) == 1
    assert len(notices.entries("webhook.failed")) == SOON.attempts - 1


def test_a_bank_that_is_shut_out_or_without_address_gets_none_and_an_old_act_is_no_news(notices: Notices) -> None:
    with WebhookReceiver() as receiver:
        notices.watches.set_webhook("bohai", receiver.url, new_secret(), replace=False)
        notices.act(stopped=True, request="request-1", at=datetime.now(UTC) - timedelta(days=2))
        assert notices.deliver() == 0
        notices.act(stopped=True, request="request-2")
        notices.service.access.disable_client("bohai")
        notices.deliver()
        assert notices.deliver() == 0
        assert receiver.received == []
