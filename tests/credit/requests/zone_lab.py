"""A small lab of zones for tests of requests: keys, a ring, ledgers, and agents whose handlers are given."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from credit.actor import Actor, Role
from credit.files import write_atomically
from credit.keys import KeyRing, SigningKey
from credit.ledger import Ledger
from credit.ledger.entry import Entry
from credit.requests.agent import Agent
from credit.requests.flows import FLOWS
from credit.requests.private_arguments import write_private_arguments
from credit.requests.request import CANCELLED, MADE
from credit.requests.request_states import RequestState
from credit.requests.settings import AgentSettings
from credit.requests.state_reader import ZONES, StateReader, ledger_path
from credit.requests.task import Handler, StepResult, Task, touches_all

CLERK, PETRA = Actor("chen", Role.CITY), Actor("petra", Role.PLATFORM)


@dataclass(slots=True)
class ZoneLab:
    """The zones of a lab below ``root``."""

    root: Path
    keys: dict[str, SigningKey] = field(default_factory=dict)

    @classmethod
    def make(cls, root: Path) -> ZoneLab:
        """Make the keys."""
        lab = cls(root)
        for zone in ZONES:
            lab.keys[zone] = key = SigningKey.create(root / "keys" / zone, zone)
            write_atomically(root / "keys" / "ring" / f"{zone}.pem", key.public_pem())
        return lab

    @property
    def ring(self) -> KeyRing:
        return KeyRing.load(self.root / "keys" / "ring")

    def settings(self, zone: str, **more: Any) -> AgentSettings:
        """The settings of a zone's agent."""
        return AgentSettings(
            shelf=self.root / "shelf",
            keys=self.root / "keys" / zone,
            ring=self.root / "keys" / "ring",
            ledgers=self.root / "ledgers",
            runs=self.root / "runs",
            requests=self.root / "requests",
            **{"poll": 0.01, **more},
        )

    def ledger(self, zone: str) -> Ledger:
        """The ledger of a zone's agent, for writing."""
        return Ledger(ledger_path(self.root / "ledgers", zone), self.keys[zone], self.ring, zone)

    def request(self, verb: str, by: Actor = CLERK, *, number: int = 1, seconds: float = 600, **given: Any) -> str:
        """Write a request down as the desk does; its id."""
        name, private = f"request-{number:032x}", {k: v for k, v in given.items() if k in FLOWS[verb].private}
        details = {
            "verb": verb,
            "arguments": {k: v for k, v in given.items() if k not in private},
            "private": write_private_arguments(self.root / "requests", name, private),
            "confirm": False,
            "factor": "totp",
            "deadline": (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat(),
            "today": "",
        }
        self.ledger("desk").append(MADE, name, by=by, details=details)
        return name

    def cancel(self, name: str) -> None:
        """Cancel a request."""
        self.ledger("desk").append(CANCELLED, name, by=CLERK)

    def state(self, name: str) -> RequestState:
        """The state of a request, from the ledgers."""
        reader = StateReader.open("auditor", self.root / "ledgers", self.ring)
        reader.catch_up()
        state = reader.states.get(name)
        assert state is not None
        return state

    def entries(self, zone: str) -> list[Entry]:
        """The entries of a zone's ledger about requests, without those about the heads of other zones."""
        return [entry for entry in self.ledger(zone).entries() if not entry.verb.startswith("ledger.")]

    def agent(self, zone: str, steps: Mapping[str, Callable[[Task], StepResult]], **more: Any) -> Agent:
        """An agent whose steps are these; a verb without one fails the test."""
        touches = more.pop("touches", touches_all)
        verbs = [verb for verb, flow in FLOWS.items() if zone in flow.zones]
        handlers = {verb: Handler(steps.get(verb, _unexpected), touches) for verb in verbs}
        return Agent.open(zone, self.settings(zone, **more), handlers)

    def wait(self, name: str, holds: Callable[[RequestState], bool], seconds: float = 20) -> RequestState:
        """The state once it is as wanted."""
        limit = time.monotonic() + seconds
        while time.monotonic() < limit:
            if holds(state := self.state(name)):
                return state
            time.sleep(0.01)
        raise AssertionError(f"{name} stays {self.state(name)}")


def _unexpected(task: Task) -> StepResult:
    raise AssertionError(task.request.verb)


@contextmanager
def serving(*agents: Agent) -> Iterator[None]:
    """The agents at work, each in a thread."""
    threads = [threading.Thread(target=agent.serve) for agent in agents]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        for agent in agents:
            agent.end.set()
        for thread in threads:
            thread.join()
