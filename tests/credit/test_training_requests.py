"""An order is wanted while any project wants it, and until a version was made or its last asking failed."""

from __future__ import annotations

from datetime import UTC, datetime

from credit.actor import Actor, Role
from credit.ledger import START, Entry
from credit.training_requests import TrainingRequests

BY = Actor("alice", Role.RESEARCHER)


def entry(seq: int, verb: str, object_id: str = "order-1", **details: object) -> Entry:
    return Entry(seq, datetime.now(UTC), BY, verb, object_id, details, START, START)


def test_the_queue_is_in_the_order_of_asking() -> None:
    told = TrainingRequests()
    for seq, order in enumerate(("order-1", "order-2", "order-3"), start=1):
        told.apply_research(entry(seq, "training.asked", order, project="loans", model="m"))
    told.apply_research(entry(4, "training.asked", "order-1", project="loans", model="m"))
    assert [each.order for each in told.waiting()] == ["order-2", "order-3", "order-1"]
    told.apply_compute(entry(1, "version.made", "version-3", order="order-3"))
    assert [each.order for each in told.waiting()] == ["order-2", "order-1"]


def test_it_is_cancelled_when_every_project_has() -> None:
    told = TrainingRequests()
    for seq, project in enumerate(("loans", "fines"), start=1):
        told.apply_research(entry(seq, "training.asked", project=project))
    told.apply_research(entry(3, "training.cancelled", project="loans"))
    assert [each.project for each in told.waiting()] == ["fines"]
    told.apply_research(entry(4, "training.cancelled", project="fines"))
    assert told.waiting() == []
    told.apply_research(entry(5, "training.asked", project="loans"))
    assert [each.project for each in told.waiting()] == ["loans"]


def test_a_failure_answers_what_was_asked_before_it_began_and_not_a_later_asking() -> None:
    told = TrainingRequests()
    told.apply_research(entry(1, "training.asked", project="loans"))
    told.apply_compute(entry(1, "training.failed", asked=1, why="nothing to learn"))
    asked = told.get("order-1", "loans")
    assert asked is not None
    ended = told.result(asked)
    assert ended is not None
    assert ended.why == "nothing to learn"
    told.apply_research(entry(2, "training.asked", project="loans"))
    assert [each.seq for each in told.waiting()] == [2]
    assert told.of("fines") == []
