"""An order waits while a project requests it, until a version is made or the training after the last request fails."""

from __future__ import annotations

from datetime import UTC, datetime

from credit.actor import Actor, Role
from credit.ledger import START, Entry
from credit.order_requests import TRAINING, OrderRequests

BY = Actor("alice", Role.RESEARCHER)


def entry(seq: int, verb: str, object_id: str = "order-1", **details: object) -> Entry:
    return Entry(seq, datetime.now(UTC), BY, verb, object_id, details, START, START)


def test_the_queue_is_in_the_order_of_requests() -> None:
    requests = OrderRequests(TRAINING)
    for seq, order in enumerate(("order-1", "order-2", "order-3"), start=1):
        requests.apply_research(entry(seq, "training.asked", order, project="loans", model="m"))
    requests.apply_research(entry(4, "training.asked", "order-1", project="loans", model="m"))
    assert [each.order for each in requests.waiting()] == ["order-2", "order-3", "order-1"]
    requests.apply_compute(entry(1, "version.made", "version-3", order="order-3"))
    assert [each.order for each in requests.waiting()] == ["order-2", "order-1"]


def test_it_is_cancelled_when_every_project_has() -> None:
    requests = OrderRequests(TRAINING)
    for seq, project in enumerate(("loans", "fines"), start=1):
        requests.apply_research(entry(seq, "training.asked", project=project))
    requests.apply_research(entry(3, "training.cancelled", project="loans"))
    assert [each.project for each in requests.waiting()] == ["fines"]
    requests.apply_research(entry(4, "training.cancelled", project="fines"))
    assert requests.waiting() == []
    requests.apply_research(entry(5, "training.asked", project="loans"))
    assert [each.project for each in requests.waiting()] == ["loans"]


def test_a_failure_ends_earlier_requests_and_not_later_ones() -> None:
    requests = OrderRequests(TRAINING)
    requests.apply_research(entry(1, "training.asked", project="loans"))
    requests.apply_compute(entry(1, "training.failed", asked=1, why="nothing to learn"))
    request = requests.get("order-1", "loans")
    assert request is not None
    ended = requests.result(request)
    assert ended is not None
    assert ended.why == "nothing to learn"
    requests.apply_research(entry(2, "training.asked", project="loans"))
    assert [each.seq for each in requests.waiting()] == [2]
    assert requests.of("fines") == []
