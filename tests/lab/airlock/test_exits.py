"""Closed exits let nothing leave; only the platform closes and opens them, with a reason, and the ledger records it."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from credit.actor import Actor, Role
from credit.errors import Malformed, Refused
from credit.keys import KeyRing, SigningKey
from credit.ledger import Ledger
from lab.airlock.exits import (
    CLOSED,
    EXITS,
    OPENED,
    ExitsClosed,
    close_exits,
    closing_entry,
    open_exits,
    require_exits_open,
)
from lab.airlock.review.states import State
from tests.lab.airlock.review_zone import AUTHOR, PLATFORM, SAFE, ReviewZone

WANG, ZHOU = Actor("wang", Role.PLATFORM), Actor("zhou", Role.PLATFORM)


@pytest.fixture
def ledger(tmp_path: Path, keys: dict[str, SigningKey], ring: KeyRing) -> Ledger:
    return Ledger(tmp_path / "research.jsonl", keys["research"], ring, "research")


def test_they_are_closed_until_they_are_opened(ledger: Ledger) -> None:
    require_exits_open(ledger.entries())
    assert close_exits(ledger, " Something  leaked ", by=WANG, request="request-1") == "Something leaked"
    with pytest.raises(ExitsClosed, match="Something leaked"):
        require_exits_open(ledger.entries())
    close_exits(
        ledger, "Something leaked", by=WANG, request="request-1"
    )  # the same request, carried out again after a kill
    with pytest.raises(Malformed):
        close_exits(ledger, "Another reason", by=ZHOU)
    open_exits(ledger, "It was nothing", by=ZHOU)
    require_exits_open(ledger.entries())
    with pytest.raises(Malformed):
        open_exits(ledger, "Once more", by=ZHOU)
    assert [(entry.verb, str(entry.by)) for entry in ledger.about(EXITS)] == [
        (CLOSED, "platform:wang"), (OPENED, "platform:zhou"),
    ]  # fmt: skip


@pytest.mark.attack
def test_a_request_that_is_carried_out_again_opens_nothing_that_was_closed_since(ledger: Ledger) -> None:
    """Its agent was killed after the entry, and another person closed the exits before it began again."""
    close_exits(ledger, "One", by=WANG, request="request-1")
    open_exits(ledger, "Two", by=ZHOU, request="request-2")
    close_exits(ledger, "Three", by=WANG, request="request-3")
    assert open_exits(ledger, "Two", by=ZHOU, request="request-2") == "Two"
    with pytest.raises(ExitsClosed, match="Three"):
        require_exits_open(ledger.entries())
    assert len(ledger.about(EXITS)) == 3


@pytest.mark.attack
@pytest.mark.parametrize("role", [role for role in Role if role is not Role.PLATFORM])
def test_no_other_role_moves_them(ledger: Ledger, role: Role) -> None:
    for act in (close_exits, open_exits):
        with pytest.raises(Refused):
            act(ledger, "because", by=Actor("mallory", role))
    assert not list(ledger.entries())


@pytest.mark.attack
@pytest.mark.parametrize("why", ["", "  \n", "x" * 201, "a\x1b[2Jb", "a\u202eb"])
def test_a_reason_is_a_sentence_that_can_be_read(ledger: Ledger, why: str) -> None:
    with pytest.raises(Malformed):
        close_exits(ledger, why, by=WANG)
    assert not list(ledger.entries())


@settings(max_examples=30)
@given(acts=st.lists(st.booleans(), max_size=8))
def test_the_newest_entry_decides(acts: list[bool]) -> None:
    """Whatever was done before, and however often."""

    class Line:
        def __init__(self, verb: str) -> None:
            self.verb = verb

    lines = [Line(CLOSED if act else OPENED) for act in acts]
    assert (closing_entry(lines) is not None) is (bool(acts) and acts[-1])  # type: ignore[arg-type]


@pytest.mark.attack
def test_nothing_is_collected_while_they_are_closed(zone: ReviewZone) -> None:
    """What was approved stays approved, and is collected when they are open again."""
    id = zone.submit({"firms.csv": SAFE})
    zone.approve(id)
    close_exits(zone.airlock.ledger, "Wait", by=PLATFORM)
    with pytest.raises(ExitsClosed, match="Wait"):
        zone.airlock.collect(id, by=AUTHOR)
    assert zone.airlock.get(id).state is State.APPROVED
    assert not list(zone.airlock.settings.outbox.rglob("firms*"))
    open_exits(zone.airlock.ledger, "Go on", by=PLATFORM)
    assert zone.airlock.collect(id, by=AUTHOR).id
