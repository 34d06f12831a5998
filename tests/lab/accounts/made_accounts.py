"""Accounts for tests that are about something else: made as the rules say, by two people of the platform."""

from __future__ import annotations

from collections.abc import Mapping

from credit.actor import Actor, Role
from credit.ledger import Ledger
from infra.desk.invented_people import BOB
from lab.accounts.account_changes import AccountChanges
from lab.accounts.accounts import Accounts

FIRST, SECOND = Actor("petra", Role.PLATFORM), Actor("pavel", Role.PLATFORM)


def make_accounts(ledger: Ledger, people: Mapping[str, Role], *, by: Actor = FIRST, second: Actor = SECOND) -> Accounts:
    """An account for each name that has none, and the two of installation where there is none.

    In an invented home, which has people of its own, :data:`BOB` of its platform confirms.
    """
    changes, accounts = AccountChanges(ledger), Accounts(ledger)
    if not accounts.all():
        changes.install((by.name, second.name))
    known = accounts.all()
    if second.name not in known:
        second = BOB
    for name, role in people.items():
        if name in known:
            assert known[name].roles == (role,), f"{name} has an account of another role"
            continue
        requested = changes.request_account(name, (role,), by=by)
        if requested.waits:
            changes.confirm(requested.change, by=second)
    return accounts


def remove_account(changes: AccountChanges, name: str, *, by: Actor = FIRST, second: Actor = SECOND) -> None:
    """Remove an account, by two people where that takes two."""
    requested = changes.request_removal(name, by=by)
    if requested.waits:
        changes.confirm(requested.change, by=second)
