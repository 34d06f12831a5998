"""The first accounts of a lab that has none: two of the platform team, and in the invented city one of each role.

In the invented city they are set up as well, with passwords and secrets that are printed once, so that a newcomer can
look around. Everywhere else each person gets a link and sets up the account alone.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from credit.actor import Role
from credit.releases import newest_practice, newest_release
from credit.requests.desk_client import DeskClient
from infra.desk.factor_entries import FactorAct, FactorChange, FactorKind, record_factors
from infra.desk.invented_home import is_invented
from infra.desk.invented_people import BOB, OTHERS, PETRA, make_people
from infra.home import Home
from infra.hub.authenticator import credential_store
from infra.hub.credentials.recovery_codes import new_recovery_codes
from infra.hub.credentials.store import CredentialStore, NewCredentials, password_hash
from infra.hub.credentials.totp import new_secret
from lab.accounts.account import Account
from lab.accounts.account_changes import AccountChanges
from lab.accounts.accounts import Accounts
from lab.accounts.policy import default_policy
from lab.projects import Projects

PROJECT = "firstlook"
PRACTICE_SUBJECTS = 5_000  # as many as `haihe practice` makes by default


@dataclass(frozen=True, slots=True)
class FirstPerson:
    """A person of a new lab: the token of a link to enrol with, or a password and the secret of the second factor."""

    name: str
    role: Role
    token: str = ""
    password: str = ""
    totp_secret: str = ""
    recovery_codes: tuple[str, ...] = field(default=(), repr=False)


def first_people(home: Home) -> list[FirstPerson]:
    """Make the accounts where there is none yet. What is returned is stored nowhere."""
    ledger = home.ledger("desk", writing=True)
    accounts = Accounts(ledger)
    if not is_invented(home):
        if accounts.all():
            return []
        links = AccountChanges(ledger).install((PETRA.name, BOB.name))
        return [FirstPerson(name, Role.PLATFORM, token=link.token) for name, link in links.items()]
    make_people(ledger)
    store, known = credential_store(home.root), accounts.all()
    names = [each for each in (PETRA.name, BOB.name, *OTHERS) if each in known and not store.is_enrolled(known[each])]
    for name in names:
        record_factors(ledger, accounts, _enrolment(known[name]))
    return [set_up(store, known[name]) for name in names]


def _enrolment(account: Account) -> FactorChange:
    """What the ledger says of an account that :func:`set_up` is going to set up."""
    needed = default_policy().needs_second_factor(account.roles)
    kinds = (FactorKind.PASSWORD, *((FactorKind.TOTP, FactorKind.RECOVERY_CODES) if needed else ()))
    return FactorChange(account.name, account.enrolment, FactorAct.ENROLLED, kinds, "invented")


def first_project(home: Home, today: date, desk: Path) -> None:
    """In an invented home without it, request the first project at the front desk as one of the platform team."""
    if not is_invented(home) or newest_release(home.shelf, "research") is None:
        return
    if PROJECT in Projects(home.ledger("research")).all():
        return
    client = DeskClient(desk, by=str(PETRA))
    wanted = {"act": "open", "name": PROJECT, "title": "第一课题 first look", "purpose": "to get to know the lab"}
    until = today.replace(year=today.year + 1, day=1).isoformat()
    made = client.request("project", {**wanted, "until": until, "members": ["alice"], "all_tables": True})
    client.wait(made, lambda label, done, total: None)


def first_practice(home: Home, today: date, desk: Path) -> None:
    """In an invented home without practice tables of this day, have custody make some: workspaces show nothing else."""
    if not is_invented(home) or newest_practice(home.shelf, today) is not None:
        return
    client = DeskClient(desk, by=str(PETRA))
    made = client.request("practice", {"subjects": PRACTICE_SUBJECTS, "seed": 1, "catalogue": "city"})
    client.wait(made, lambda label, done, total: None)


def set_up(store: CredentialStore, account: Account, password: str = "") -> FirstPerson:
    """Set up an account without its person, which only an invented home and a test may do."""
    password = password or secrets.token_urlsafe(12)
    secret = new_secret() if default_policy().needs_second_factor(account.roles) else ""
    totp, codes = ((secret, 0), new_recovery_codes()) if secret else (None, ())
    store.enrol(account, NewCredentials(password_hash(password), totp, recovery_codes=codes))
    return FirstPerson(account.name, account.roles[0], password=password, totp_secret=secret, recovery_codes=codes)
