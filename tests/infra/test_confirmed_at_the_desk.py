"""A person's confirmation of an application counts by the desk's ledger, however long ago it was requested."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from credit.actor import Actor, Role
from credit.ledger.fold_checkpoint import FoldCheckpoint
from credit.requests import request_states
from credit.requests.request import STEP_DONE
from credit.requests.state_reader import StateReader
from infra.agents.mandates import is_requested
from tests.credit.requests.zone_lab import PETRA, ZoneLab

APPLICATION, BATCH = "application-1", "batch-1"
EARLIER, LATER = (datetime.now(UTC) + sign * timedelta(hours=1) for sign in (-1, 1))


@dataclass
class Desk:
    """A lab whose platform agent reads from a checkpoint."""

    lab: ZoneLab

    def reader(self) -> StateReader:
        checkpoint = FoldCheckpoint(self.lab.root / "runs" / "states", self.lab.keys["platform"], self.lab.ring)
        reader = StateReader.open("platform", self.lab.root / "ledgers", self.lab.ring, checkpoint)
        reader.catch_up()
        return reader

    def end(self, name: str) -> None:
        while (state := self.lab.state(name)).zone:
            details = {"step": state.step, "after": state.turn, "result": {}}
            self.lab.ledger(state.zone).append(STEP_DONE, name, by=PETRA, details=details)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(ZoneLab.make(tmp_path))


@pytest.mark.parametrize("named", [APPLICATION, BATCH])
@pytest.mark.parametrize("kept", [0, 1])
def test_a_request_that_ended_and_left_the_memory_still_counts(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, named: str, kept: int
) -> None:
    monkeypatch.setattr(request_states, "KEPT", kept)
    requests = [
        desk.lab.request("application", PETRA, number=number, application=named, act="confirm") for number in range(3)
    ]
    for name in requests:
        desk.end(name)
    desk.reader().store(every=0)
    reader = desk.reader()
    assert reader.states.get(requests[0]) is None
    check = is_requested(reader)
    assert all(check(name, PETRA, APPLICATION, BATCH, EARLIER) for name in requests)
    assert not check(requests[0], Actor("pia", Role.PLATFORM), APPLICATION, BATCH, EARLIER)
    assert not check(requests[0], PETRA, "application-2", "", EARLIER)
    assert not check("request-unknown", PETRA, APPLICATION, BATCH, EARLIER)


def test_one_that_was_cancelled_or_refuses_does_not_count(desk: Desk) -> None:
    cancelled = desk.lab.request("application", PETRA, number=1, application=APPLICATION, act="confirm")
    refuses = desk.lab.request("application", PETRA, number=2, application=APPLICATION, act="refuse")
    desk.lab.cancel(cancelled)
    check = is_requested(desk.reader())
    assert not check(cancelled, PETRA, APPLICATION, BATCH, EARLIER)
    assert not check(refuses, PETRA, APPLICATION, BATCH, EARLIER)


@pytest.mark.attack
def test_a_batch_covers_nothing_that_was_made_after_the_person_decided(desk: Desk) -> None:
    whole = desk.lab.request("application", PETRA, number=1, application=BATCH, act="confirm")
    one = desk.lab.request("application", PETRA, number=2, application=APPLICATION, act="confirm")
    check = is_requested(desk.reader())
    assert check(whole, PETRA, APPLICATION, BATCH, EARLIER)
    assert not check(whole, PETRA, APPLICATION, BATCH, LATER)
    assert check(one, PETRA, APPLICATION, BATCH, LATER)
    assert not check(whole, PETRA, "", "", EARLIER)
