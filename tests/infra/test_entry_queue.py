"""No entry of another zone is lost when a store is away for a moment, and none of them stops an agent for good."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from credit.actor import Actor, Role
from credit.errors import Broken, Malformed
from credit.ledger import Entry, Ledger
from infra.agents.entry_queue import EntryQueue
from infra.agents.mandates import ProposingMandates
from serving.store.transaction import StoreUnavailable
from tests.credit.requests.zone_lab import ZoneLab

VERB, BY = "mandates.signed", Actor("agent-platform", Role.SERVICE)
AWAY: list[Callable[[], Exception]] = [
    lambda: StoreUnavailable("store.not-available"), lambda: Broken("mandate-granting.not-a-mandate"),
    lambda: OSError(28, "No space left on device"),
]  # fmt: skip
UNREADABLE: list[Callable[[], Exception]] = [
    lambda: KeyError("applications"), lambda: ValueError("x"), lambda: Malformed("mandate-applications.until"),
]  # fmt: skip


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return ZoneLab.make(tmp_path).ledger("platform")


def write(ledger: Ledger, *names: str) -> None:
    for name in names:
        ledger.append(VERB, name, by=BY, details={})


class Faulty:
    """Acts on entries, after it has raised once for the first."""

    def __init__(self, fault: Callable[[], Exception]) -> None:
        self.faults, self.done = [fault()], list[str]()

    def __call__(self, entry: Entry) -> None:
        if self.faults:
            raise self.faults.pop()
        self.done.append(entry.object)


@pytest.mark.attack
@pytest.mark.parametrize("fault", AWAY)
def test_an_entry_stays_while_what_it_needs_is_away(ledger: Ledger, fault: Callable[[], Exception]) -> None:
    write(ledger, "a", "b")
    ledger.append("another.verb", "c", by=BY, details={})
    queue, act, end = EntryQueue(ledger, VERB, "service"), Faulty(fault), threading.Event()
    assert queue.read() == 2
    with pytest.raises(type(fault())):
        queue.work_off(act, end)
    write(ledger, "d")
    queue.read()
    queue.work_off(act, end)
    assert act.done == ["a", "b", "d"]


@pytest.mark.attack
@pytest.mark.parametrize("fault", UNREADABLE)
def test_an_entry_that_cannot_be_read_stops_no_later_one(ledger: Ledger, fault: Callable[[], Exception]) -> None:
    write(ledger, "a", "b")
    queue, act = EntryQueue(ledger, VERB, "platform"), Faulty(fault)
    queue.read()
    queue.work_off(act, threading.Event())
    assert act.done == ["b"]


@dataclass
class AwayAtFirst:
    """Stands where the service's store is: away at the start of its agent."""

    end: threading.Event
    calls: int = 0

    def recover(self) -> None:
        self.calls += 1
        if self.calls == 1:
            raise StoreUnavailable("store.not-available")

    def propose(self) -> int:
        return 0

    def take(self, entry: Entry) -> None:
        self.end.set()


@pytest.mark.attack
def test_a_store_that_is_away_at_the_start_ends_no_agents_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("infra.agents.mandates.PAUSE_AFTER_FAULT", 0.01)
    lab, end = ZoneLab.make(tmp_path), threading.Event()
    write(lab.ledger("platform"), "proposal-1")
    clerk: Any = AwayAtFirst(end)
    thread = threading.Thread(target=ProposingMandates(lab.agent("service", {}), clerk), args=(end,))
    thread.start()
    thread.join(20)
    assert not thread.is_alive()
    assert (end.is_set(), clerk.calls) == (True, 2)
