"""Requests of people who left (离岗): what they requested from a notebook ends with the role in which they did.

Requests at the front desk end with the account's change itself. A notebook's are in the ledger of research, so research
ends them, at the next duty of its agent.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from credit.actor import Actor, Role
from credit.keys import KeyRing
from credit.ledger import Ledger
from credit.ledger.follower import Follower
from credit.order_requests import ALL, OrderRequests
from credit.requests.state_reader import ledger_path
from lab.accounts.accounts import Accounts

BY = Actor("research", Role.SERVICE)


@dataclass(slots=True)
class LeaversDuty:
    """Cancels what waits of accounts that have not the role any more (trainings, rows, tables, measurements), in
    research's ``ledger``."""

    ledger: Ledger
    accounts: Accounts
    ledgers: Path
    ring: KeyRing
    _requests: tuple[OrderRequests, ...] = field(default_factory=lambda: tuple(map(OrderRequests, ALL)))
    _followers: tuple[Follower, ...] = ()

    def __call__(self) -> None:
        """Read what is new, and cancel; done twice it changes nothing."""
        if not self._followers:
            compute = Ledger(ledger_path(self.ledgers, "compute"), None, self.ring, "compute")
            self._followers = (
                Follower(self.ledger, tuple(each.apply_research for each in self._requests)),
                Follower(compute, tuple(each.apply_compute for each in self._requests)),
            )
        for follower in self._followers:
            follower.catch_up()
        waiting = [(kind.verbs, each) for kind in self._requests for each in kind.waiting()]
        known = self.accounts.all() if waiting else {}
        for verbs, each in waiting:
            account = known.get(each.by.name)
            if account is None or each.by.role not in account.roles:
                details = {"project": each.project, "why": "no-role-now", "account": each.by.name}
                self.ledger.append(verbs.cancelled, each.order, by=BY, details=details)
