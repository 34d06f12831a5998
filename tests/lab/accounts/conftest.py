"""A front desk's ledger with the two accounts of installation, and more people made by them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from credit.actor import Actor, Role
from credit.files import write_atomically
from credit.keys import KeyRing, SigningKey
from credit.ledger import Ledger
from lab.accounts.account import IssuedLink
from lab.accounts.account_changes import AccountChanges
from lab.accounts.accounts import Accounts

PETRA, PAVEL = Actor("petra", Role.PLATFORM), Actor("pavel", Role.PLATFORM)


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.at = datetime.now(UTC)

    def __call__(self) -> datetime:
        return self.at

    def forward(self, **time: float) -> None:
        self.at += timedelta(**time)


class AccountsZone:
    """The ledger, what writes accounts into it, and what reads them."""

    def __init__(self, root: Path) -> None:
        key = SigningKey.create(root / "keys", "desk")
        write_atomically(root / "ring" / "desk.pem", key.public_pem())
        ring, self.path = KeyRing.load(root / "ring"), root / "desk.jsonl"
        self.clock = Clock()
        self.ledger = Ledger(self.path, key, ring, "desk")
        self.changes = AccountChanges(self.ledger, clock=self.clock)
        self.accounts = Accounts(Ledger(self.path, None, ring, "desk"))

    def add(self, name: str, *roles: str, bank: str = "") -> IssuedLink:
        """A new account, confirmed where it has to be."""
        issued = self.changes.request_account(name, roles, by=PETRA, bank=bank)
        if issued.waits:
            self.changes.confirm(issued.change, by=PAVEL)
        return issued

    def entries(self) -> int:
        return self.ledger.verify()


@pytest.fixture
def empty(tmp_path: Path) -> AccountsZone:
    return AccountsZone(tmp_path)


@pytest.fixture
def zone(empty: AccountsZone) -> AccountsZone:
    empty.changes.install(("petra", "pavel"))
    return empty
