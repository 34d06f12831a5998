"""The people of an invented home (虚构人员): accounts for every role, so that the demonstration can be walked through.

``--by`` names them in that home. They are made as the accounts of a real lab are: two of the platform by installation,
the others requested by the first and, where that takes two people, confirmed by the second.
"""

from __future__ import annotations

from credit.actor import Actor, Role
from credit.ledger import Ledger
from lab.accounts.account_changes import AccountChanges
from lab.accounts.accounts import Accounts

PETRA, BOB = Actor("petra", Role.PLATFORM), Actor("bob", Role.PLATFORM)
OTHERS = {
    "alice": Role.RESEARCHER,
    "anna": Role.RESEARCHER,
    "rita": Role.REVIEWER,
    "remy": Role.REVIEWER,
    "chen": Role.CITY,
    "audra": Role.AUDITOR,
}
"""Name -> role; the two of the platform are beside them."""


def make_people(ledger: Ledger) -> None:
    """Make the accounts that are not there yet, in the desk's ledger. Done twice it changes nothing."""
    changes, known = AccountChanges(ledger), Accounts(ledger).all()
    if not known:
        changes.install((PETRA.name, BOB.name))
    for name, role in OTHERS.items():
        if name not in known:
            requested = changes.request_account(name, (role,), by=PETRA)
            if requested.waits:
                changes.confirm(requested.change, by=BOB)
