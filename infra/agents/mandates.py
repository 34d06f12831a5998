"""What the agents do about banks' applications for mandates besides requests: the service proposes, the platform signs.

Each reads the other's ledger as it grows, and writes into its own alone. What was done before a kill is not done again.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from credit.actor import Actor
from credit.ledger import Ledger
from credit.requests.agent import Agent, log_event
from credit.requests.request import Stage
from credit.requests.state_reader import StateReader, ledger_path
from infra.agents.entry_queue import EntryQueue, why_of

if TYPE_CHECKING:
    from serving.mandates.granting import MandateSigner
    from serving.mandates.proposals import MandateClerk

PAUSE = 0.2  # seconds between two reads
PAUSE_AFTER_FAULT = 5.0


@dataclass(frozen=True, slots=True)
class ProposingMandates:
    """The service's agent: asks the platform to sign what is complete, and stores what it signed."""

    agent: Agent
    clerk: MandateClerk

    def __call__(self, end: threading.Event) -> None:
        """Work until `end` is set."""
        from serving.mandates.granting import SIGNED

        ring, ledgers = self.agent.ledger.ring, self.agent.settings.ledgers
        signed = EntryQueue(Ledger(ledger_path(ledgers, "platform"), None, ring, "platform"), SIGNED, self.agent.zone)
        recovered: list[bool] = []

        def once() -> None:
            if not recovered:  # here, so that a store that is away at the start is tried again
                self.clerk.recover()
                recovered.append(True)
            while self.clerk.propose():
                pass
            signed.read()
            signed.work_off(self.clerk.take, end)

        _repeat(once, self.agent.zone, end)


@dataclass(frozen=True, slots=True)
class SigningMandates:
    """The platform's agent: signs the mandates of the applications that the service's ledger shows to be complete."""

    agent: Agent
    signer: MandateSigner

    def __call__(self, end: threading.Event) -> None:
        """Work until `end` is set."""
        from serving.mandates.granting import PROPOSED

        ring, ledgers = self.agent.ledger.ring, self.agent.settings.ledgers
        proposals = EntryQueue(
            Ledger(ledger_path(ledgers, "service"), None, ring, "service"), PROPOSED, self.agent.zone
        )

        def once() -> None:
            if proposals.read():
                self.agent.reader.catch_up()  # the requests by which people confirmed
            proposals.work_off(self.signer.sign, end)

        _repeat(once, self.agent.zone, end)


def is_requested(reader: StateReader) -> Callable[[str, Actor, str, str, datetime], bool]:
    """Whether the desk has a request of this id, by this person, that confirms an application or its batch.

    A batch is what it was when the person decided: one of it that was made later is not covered.
    """

    def check(request_id: str, person: Actor, application: str, batch: str, made: datetime) -> bool:
        state = reader.find(request_id)  # also one that ended long ago
        if state is None or state.request.verb != "application" or state.stage in (Stage.UNCONFIRMED, Stage.CANCELLED):
            return False
        arguments = state.request.arguments
        named = arguments.get("application")
        is_named = named == application or (bool(batch) and named == batch and made <= state.request.at)
        return state.request.by == person and arguments.get("act") == "confirm" and is_named

    return check


def _repeat(once: Callable[[], None], zone: str, end: threading.Event) -> None:
    while not end.is_set():
        try:
            once()
        except Exception as error:  # such as a ledger that does not verify; a thread that ended would stop all mandates
            log_event("mandates waiting", zone=zone, why=why_of(error))
            end.wait(PAUSE_AFTER_FAULT)
        end.wait(PAUSE)
