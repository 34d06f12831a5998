"""A project has researchers alone as members, no tables that were not named, and an end that is not over."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from credit.actor import Actor, Role
from credit.errors import Malformed, Refused
from credit.keys import KeyRing, SigningKey
from credit.ledger import Ledger
from lab.projects import Projects
from tests.credit.separation.account_changes import AccountsSince

OPS, TODAY = Actor("ops", Role.PLATFORM), date(2026, 11, 24)
WORDS: dict[str, Any] = {"title": "t", "purpose": "p", "ends_on": date(2027, 6, 1), "by": OPS, "today": TODAY}


@pytest.fixture
def accounts() -> AccountsSince:
    roles = {"li": Role.RESEARCHER, "zhao": Role.REVIEWER, "ops": Role.PLATFORM, "chen": Role.CITY}
    return AccountsSince(roles)


@pytest.fixture
def projects(tmp_path: Path, keys: dict[str, SigningKey], ring: KeyRing, accounts: AccountsSince) -> Projects:
    return Projects(Ledger(tmp_path / "research.jsonl", keys["research"], ring, "research"), accounts)


def test_nothing_is_granted_that_is_not_named(projects: Projects) -> None:
    opened = projects.open("retail", members=["li"], **WORDS)
    assert (opened.members, opened.tables) == (("li",), ())
    assert projects.open("loans", tables=["registration"], **WORDS).tables == ("registration",)


@pytest.mark.parametrize("end", [date(2020, 1, 1), TODAY])
def test_a_day_that_is_over_is_refused(projects: Projects, end: date) -> None:
    with pytest.raises(Malformed, match="a day in the future"):
        projects.open("retail", **WORDS | {"ends_on": end})
    projects.open("retail", **WORDS)
    with pytest.raises(Malformed, match="a day in the future"):
        projects.extend("retail", end, by=OPS, today=TODAY)


@pytest.mark.parametrize("name", ["ghost", "zhao", "ops", "chen", "both", "left"])
def test_a_member_is_a_researcher_and_nothing_else(projects: Projects, accounts: AccountsSince, name: str) -> None:
    """An unknown name, every other role, two roles at once, a removed account, and the person who adds."""
    accounts.change("both", Role.RESEARCHER, Role.REVIEWER)
    accounts.change("left", Role.RESEARCHER)
    accounts.change("left")
    before = projects.ledger.head()
    with pytest.raises(Malformed, match=name):
        projects.open("retail", members=["li", name], **WORDS)
    assert projects.ledger.head() == before, "nothing was written"
    projects.open("retail", **WORDS)
    with pytest.raises(Malformed, match=name):
        projects.set_members("retail", ["li", name], by=OPS)


def test_no_person_makes_themselves_a_member(projects: Projects, accounts: AccountsSince) -> None:
    """Not under another role either: names are compared."""
    with pytest.raises(Malformed, match="li may not be a member"):
        projects.open("retail", members=["li"], **WORDS | {"by": Actor("li", Role.PLATFORM)})


def test_a_member_whose_role_changed_may_stay_until_they_are_removed(
    projects: Projects, accounts: AccountsSince
) -> None:
    """Otherwise no other member could be changed; what they may do follows from their account."""
    projects.open("retail", members=["li"], **WORDS)
    accounts.change("li", Role.REVIEWER)
    accounts.change("wang", Role.RESEARCHER)
    assert projects.set_members("retail", ["li", "wang"], by=OPS).members == ("li", "wang")
    projects.set_members("retail", ["wang"], by=OPS)
    with pytest.raises(Malformed):
        projects.set_members("retail", ["li", "wang"], by=OPS)


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.PLATFORM])
def test_only_the_platform_changes_projects(projects: Projects, role: Role) -> None:
    projects.open("retail", **WORDS)
    by = Actor("someone", role)
    for change in (
        lambda: projects.open("loans", **WORDS | {"by": by}),
        lambda: projects.set_members("retail", [], by=by),
        lambda: projects.grant("retail", [], by=by),
        lambda: projects.extend("retail", date(2028, 1, 1), by=by, today=TODAY),
        lambda: projects.close("retail", by=by),
    ):
        with pytest.raises(Refused):
            change()


def test_without_accounts_no_person_is_a_researcher(projects: Projects) -> None:
    """A caller that brings no accounts adds no member: absence is a refusal."""
    with pytest.raises(Malformed):
        Projects(projects.ledger).open("retail", members=["li"], **WORDS)
