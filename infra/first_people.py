"""The first accounts of a lab that has none: one of the platform team, and in the invented city one of each role."""

from __future__ import annotations

from datetime import date

from credit.actor import Actor, Role
from credit.releases import newest_release
from infra.home import Home
from lab.accounts import Accounts
from lab.projects import Projects
from lab.settings import ResearchSettings

SETUP = Actor("first-start", Role.PLATFORM)
DEMO = {"alice": Role.RESEARCHER, "rita": Role.REVIEWER, "remy": Role.REVIEWER}
PROJECT = "firstlook"


def first_people(home: Home, today: date) -> dict[str, tuple[Role, str]]:
    """Make the accounts where there is none yet; name to role and password. The passwords are stored nowhere."""
    accounts = Accounts(home.settings(ResearchSettings, "research").accounts)
    if accounts.all():
        return {}
    ledger = home.ledger("research", writing=True)
    release = newest_release(home.shelf, "research")
    invented = release is not None and bool(release.seal.terms.get("invented"))
    wanted = {"petra": Role.PLATFORM, **(DEMO if invented else {})}
    made = {name: (role, accounts.add(name, (role,), by=SETUP, ledger=ledger)) for name, role in wanted.items()}
    projects = Projects(ledger)
    if release and invented and PROJECT not in projects.all():
        until = today.replace(year=today.year + 1, day=1)
        projects.open(PROJECT, title="第一课题 first look", purpose="to get to know the lab", ends_on=until, by=SETUP)
        projects.set_members(PROJECT, ("alice",), by=SETUP)
        projects.grant(PROJECT, release.seal.terms["tables"], by=SETUP)
    return made
