"""The service's part after an application is complete: it asks the platform to sign, and stores what was signed."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from credit.actor import Actor, Role
from credit.canonical import digest_json
from credit.errors import CreditError
from credit.keys import KeyRing
from credit.ledger import Entry, Ledger
from credit.messages import Text
from serving.auth.access_database import AccessDatabase
from serving.auth.mandates import store_mandate
from serving.mandates.application_store import ApplicationStore
from serving.mandates.decisions import reconcile
from serving.mandates.granting import MOST, PROPOSED, SIGNED, mandate_of
from serving.mandates.rules import ApplicationState
from serving.store.transaction import StoreUnavailable

CLERK = Actor("agent-service", Role.SERVICE)


@dataclass(frozen=True, slots=True)
class MandateClerk:
    """The service's stores and ledgers: `answers` is that of the service, `proposals` that of its agent."""

    store: ApplicationStore
    access: AccessDatabase
    answers: Ledger
    proposals: Ledger
    ring: KeyRing

    def recover(self) -> None:
        """After a start: repeat what the ledger says of applications that wait, as a killed process may not have."""
        above = 0
        while rows := self.store.in_state(ApplicationState.WAITING, above=above):
            for each in rows:
                reconcile(self.store, self.answers, each.id)
            above = rows[-1].number

    def propose(self) -> int:
        """Ask the platform to sign what is complete; gives for how many."""
        names = {each.id: each.batch for each in self.store.unproposed(MOST)}
        if names:
            proposal = f"proposal-{digest_json(sorted(names))[:32]}"
            self.proposals.append(PROPOSED, proposal, by=CLERK,
                                  details={"applications": names})  # fmt: skip
            self.store.mark_proposed(names)
        return len(names)

    def take(self, entry: Entry) -> None:
        """Store what the platform signed or declined in an entry of its ledger; what was stored before stays."""
        if entry.verb != SIGNED:
            return
        envelopes, declined = dict(entry.details["envelopes"]), dict(entry.details["declined"])
        self.access.in_one(lambda access: self._store(access, envelopes, declined))  # one wait for the disk

    def _store(self, access: AccessDatabase, envelopes: Mapping[str, str], declined: Mapping[str, Any]) -> None:
        store = self.store.together_with(access)
        for name in _accepted(store, envelopes):
            try:
                mandate = store_mandate(access, json.loads(envelopes[name]), self.ring)
            except StoreUnavailable:
                raise
            except CreditError as fault:  # such as of a bank that the service does not know
                store.move(name, ApplicationState.REFUSED, why=fault.message)
                continue
            if mandate.id == mandate_of(name):
                store.move(name, ApplicationState.GRANTED, mandate=mandate.id)
        for name in _accepted(store, declined):
            message = Text.from_json(declined[name])
            store.move(name, ApplicationState.REFUSED, why=message)


def _accepted(store: ApplicationStore, names: Iterable[str]) -> list[str]:
    rows = [store.application(name) for name in names]
    return [row.id for row in rows if row is not None and row.state is ApplicationState.ACCEPTED]
