"""While a subject is suppressed its watches send nothing: neither new changes nor deliveries that were waiting."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from serving_webhook_receiver import WebhookReceiver
from serving_world import TODAY

from credit.suppression import suppress
from serving.endpoints.monitoring.watch_store import WAITING
from tests.serving.endpoints.monitoring.test_watches import GOOD, Bank


@pytest.fixture
def bank(serve: Any) -> Iterator[Bank]:
    with serve(webhooks_to_loopback=True, chores=False) as running, WebhookReceiver() as receiver:
        made = Bank(running, receiver)
        yield made
        made.service.ledger_writer.close()
        made.service.access.close()


def test_nothing_is_sent_about_a_suppressed_subject(bank: Bank) -> None:
    bank.watch()
    bank.snapshot(more={"penalties_12m": 7})
    bank.look()
    key = bank.world.pseudonyms.key_of(GOOD).hex
    message = {"today": TODAY, "forget_before": TODAY - timedelta(days=60), "key": bank.world.key("custody")}
    suppress(bank.world.shelf, "scoring", [key], **message)
    bank.look()
    assert bank.deliver() == 1
    assert bank.deliver() == 0, "it is not asked for again at once"
    assert (bank.receiver.received, bank.states()) == ([], [WAITING])
    bank.snapshot(more={"penalties_12m": 8})
    bank.look()
    assert bank.deliver() == 0
    due = bank.store.due(time.time() + 60, 9)
    assert [one.attempts for one in due] == [0]
    assert bank.receiver.received == []
