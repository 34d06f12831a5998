"""Attacks on accounts: one person alone, a removed person, entries written past the rules, a weaker policy."""

from __future__ import annotations

from pathlib import Path

import pytest

from credit.actor import Actor, Role
from credit.errors import Broken, CreditError, Malformed, Missing, Refused
from credit.ledger import Ledger
from lab.accounts.account_changes import AccountChanges
from lab.accounts.account_state import INSTALLATION
from lab.accounts.accounts import Accounts
from lab.accounts.policy import DEFAULT, AccountPolicy
from tests.lab.accounts.conftest import PAVEL, PETRA, AccountsZone
from tests.lab.accounts.made_accounts import remove_account

RITA, ALICE = Actor("rita", Role.REVIEWER), Actor("alice", Role.RESEARCHER)
RULE = {"requests": ["platform"], "confirms": ["platform"], "people": 2, "hours": 72}
ADD = {"act": "add", "rule": RULE, "change": "c", "roles": ["reviewer"], "bank": "", "link": "0" * 64, "link_until": ""}


@pytest.mark.attack
def test_one_platform_account_alone_neither_makes_nor_resets_who_judges(zone: AccountsZone) -> None:
    """The attack of the issue: reset a reviewer, add a second one, and vote as both."""
    zone.add("rita", "reviewer")
    rita = zone.accounts.get("rita")
    requests = [
        zone.changes.request_reset("rita", by=PETRA),
        zone.changes.request_account("remy", ("reviewer",), by=PETRA),
        zone.changes.request_account("second", ("platform",), by=PETRA),
    ]
    for issued in requests:
        with pytest.raises(Refused):
            zone.changes.confirm(issued.change, by=PETRA)
        for other in (RITA, ALICE, Actor("second", Role.PLATFORM), Actor("pavel", Role.REVIEWER), INSTALLATION):
            with pytest.raises(Refused):
                zone.changes.confirm(issued.change, by=other)
    assert zone.accounts.get("rita") == rita
    assert set(zone.accounts.all()) == {"petra", "pavel", "rita"}


@pytest.mark.attack
def test_a_person_confirms_nothing_about_their_own_account(zone: AccountsZone) -> None:
    """Else the one who asked would need no second platform person."""
    issued = zone.changes.request_reset("pavel", by=PETRA)
    with pytest.raises(Refused):
        zone.changes.confirm(issued.change, by=PAVEL)
    with pytest.raises(Refused):
        zone.changes.request_roles("petra", ("reviewer",), by=PETRA)


@pytest.mark.attack
@pytest.mark.parametrize(
    "by", [RITA, ALICE, Actor("mallory", Role.PLATFORM), Actor("rita", Role.PLATFORM), INSTALLATION]
)
def test_who_is_not_of_the_platform_team_at_this_moment_changes_nothing(zone: AccountsZone, by: Actor) -> None:
    """The role that the caller claims is compared with the account, and nothing is written."""
    zone.add("rita", "reviewer")
    zone.add("alice", "researcher")
    waiting = zone.changes.request_reset("rita", by=PETRA)
    entries = zone.entries()
    for act in (
        lambda: zone.changes.request_account("xiaoming", ("researcher",), by=by),
        lambda: zone.changes.request_roles("alice", ("city",), by=by),
        lambda: zone.changes.request_reset("alice", by=by),
        lambda: zone.changes.confirm(waiting.change, by=by),
        lambda: zone.changes.refuse(waiting.change, by=by),
        lambda: zone.changes.withdraw(waiting.change, by=by),
        lambda: zone.changes.request_removal("alice", by=by),
    ):
        with pytest.raises(CreditError):
            act()
    assert zone.entries() == entries


@pytest.mark.attack
def test_a_removed_platform_person_confirms_nothing_any_more(zone: AccountsZone) -> None:
    """Neither does what they requested go on."""
    zone.add("paula", "platform")
    paula = Actor("paula", Role.PLATFORM)
    theirs, other = (
        zone.changes.request_account("rita", ("reviewer",), by=paula),
        zone.changes.request_account("remy", ("reviewer",), by=PETRA),
    )
    remove_account(zone.changes, "paula", by=PETRA, second=PAVEL)
    with pytest.raises(Missing):
        zone.changes.confirm(theirs.change, by=PAVEL)
    with pytest.raises(Refused):
        zone.changes.confirm(other.change, by=paula)


@pytest.mark.attack
@pytest.mark.parametrize(
    ("verb", "by", "details"),
    [
        ("account.confirmed", PETRA, {"change": "change-0", "code": "", "link_until": "2030-01-01T00:00:00+00:00"}),
        ("account.installed", INSTALLATION, {"link": "0" * 64, "until": "2030-01-01T00:00:00+00:00"}),
        ("account.requested", PETRA, ADD | {"rule": RULE | {"people": 1}}),
        ("account.requested", PETRA, ADD | {"rule": RULE | {"confirms": ["platform", "reviewer"]}}),
        ("account.requested", PETRA, ADD | {"rule": RULE | {"requests": ["researcher", "platform"]}}),
        ("account.requested", PETRA, ADD | {"roles": ["reviewer", "researcher"]}),
        ("account.requested", PETRA, ADD | {"link": ""}),
        ("account.requested", PETRA, ADD | {"act": "crown"}),
        ("account.requested", PETRA, {"change": "c", "act": "add"}),
        ("account.removed", PETRA, {"change": "c", "ended": []}),
        ("account.suspended", PETRA, {}),
        ("account.removed", ALICE, {}),
    ],
)  # fmt: skip
def test_an_entry_that_may_not_follow_breaks_the_ledger(
    zone: AccountsZone, verb: str, by: Actor, details: dict[str, object]
) -> None:
    """What was written past the rules, even with the desk's key, gives no one a role."""
    zone.ledger.append(verb, "user-rita", by=by, details=details)
    with pytest.raises(Broken, match="line 3"):
        zone.accounts.all()
    with pytest.raises(Broken):
        zone.changes.request_removal("pavel", by=PETRA)


@pytest.mark.attack
def test_a_reader_of_the_ledger_changes_no_account(zone: AccountsZone) -> None:
    """Only the key of the front desk writes."""
    reader = AccountChanges(Ledger(zone.path, None, zone.ledger.ring, "desk"))
    with pytest.raises(Refused):
        reader.request_removal("pavel", by=PETRA)


@pytest.mark.attack
@pytest.mark.parametrize(
    ("line", "weaker"),
    [("two_people: [reviewer, platform]", "two_people: [reviewer]"),
     ("second_factor: [reviewer, platform]", "second_factor: []"),
     ("researcher, reviewer, platform, auditor, bank", "researcher, reviewer"), ("link_hours: 24", "link_hours: 240"),
     ("link_hours: 24", "link_hours: -1"), ("apart:", "aparts:")],
)  # fmt: skip
def test_a_weaker_policy_is_refused(tmp_path: Path, line: str, weaker: str) -> None:
    """A policy file is data that may only be stricter."""
    text = DEFAULT.read_text()
    assert line in text
    (tmp_path / "policy.yaml").write_text(text.replace(line, weaker))
    with pytest.raises(Malformed):
        AccountPolicy.read(tmp_path / "policy.yaml")


def test_a_stricter_policy_is_followed(zone: AccountsZone, tmp_path: Path) -> None:
    """Here researchers take two people as well."""
    text = DEFAULT.read_text().replace("two_people: [", "two_people: [researcher, ")
    (tmp_path / "policy.yaml").write_text(text)
    changes = AccountChanges(zone.ledger, AccountPolicy.read(tmp_path / "policy.yaml"))
    issued = changes.request_account("alice", ("researcher",), by=PETRA)
    assert issued.waits
    changes.confirm(issued.change, by=PAVEL)
    account = Accounts.cached(zone.ledger).get("alice")
    assert account.link is not None
    assert account.link.code
