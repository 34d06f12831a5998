"""Accounts are made, reset and given roles as the rules say, and in no other way."""

from __future__ import annotations

from datetime import timedelta

import pytest

from credit.actor import Actor, Role
from credit.errors import Lapsed, Malformed, Missing, Refused
from lab.accounts.account import digest_of, plain_code
from lab.accounts.account_state import INSTALLATION
from lab.accounts.slow_hash import matches
from tests.lab.accounts.conftest import PAVEL, PETRA, AccountsZone
from tests.lab.accounts.made_accounts import remove_account

RITA, ALICE = Actor("rita", Role.REVIEWER), Actor("alice", Role.RESEARCHER)


def test_the_first_two_accounts_are_entries_of_the_installation(empty: AccountsZone) -> None:
    """Each gets a link of its own, the ledger has digests alone, and installation works once."""
    issued = empty.changes.install(("petra", "pavel"))
    assert {name: each.roles for name, each in empty.accounts.all().items()} == {
        "petra": (Role.PLATFORM,), "pavel": (Role.PLATFORM,)
    }  # fmt: skip
    assert [entry.by for entry in empty.ledger.entries()] == [INSTALLATION, INSTALLATION]
    text = empty.path.read_text()
    for name, link in issued.items():
        assert link.token not in text
        account = empty.accounts.of_link(link.token)
        assert account is not None
        assert account.name == name
    for names in (("anna", "berta"), ("petra", "pavel")):
        with pytest.raises(Refused):
            empty.changes.install(names)
    assert empty.entries() == 2


def test_installation_makes_two_accounts_with_two_names(empty: AccountsZone) -> None:
    """One person alone could confirm nothing."""
    for names in (("petra",), ("petra", "petra"), ("a1", "b1", "c1")):
        with pytest.raises(Malformed):
            empty.changes.install(names)
    assert empty.entries() == 0


@pytest.mark.parametrize("role", ["researcher", "auditor", "city"])
def test_one_platform_person_makes_an_account_that_judges_nothing(zone: AccountsZone, role: str) -> None:
    """Its link works without a code."""
    issued = zone.changes.request_account("alice", (role,), by=PETRA)
    assert not issued.waits
    account = zone.accounts.get("alice")
    assert account.roles == (Role(role),)
    assert account.link is not None
    assert account.link.code == ""
    assert account.link.digest == digest_of(issued.token)


@pytest.mark.parametrize("role", ["reviewer", "platform"])
def test_an_account_that_judges_takes_two_people(zone: AccountsZone, role: str) -> None:
    """The requester has the link, the confirmer the code; before the confirmation there is no account."""
    issued = zone.changes.request_account("rita", (role,), by=PETRA)
    assert issued.waits
    assert issued.code == ""
    assert "rita" not in zone.accounts.all()
    assert zone.accounts.of_link(issued.token) is None
    confirmed = zone.changes.confirm(issued.change, by=PAVEL)
    assert confirmed.token == ""
    account = zone.accounts.get("rita")
    assert account.link is not None
    assert matches(account.link.code, plain_code(confirmed.code.lower()))
    assert not matches(account.link.code, plain_code("AAAAA-AAAAA"))
    text = zone.path.read_text()
    assert issued.token not in text
    assert confirmed.code not in text
    assert plain_code(confirmed.code) not in text


def test_the_name_of_an_account_is_given_once(zone: AccountsZone) -> None:
    """Adding one that is there is refused; it used to take the account over."""
    zone.add("alice", "researcher")
    before = zone.accounts.get("alice")
    for roles in (("researcher",), ("reviewer",)):
        with pytest.raises(Malformed, match="already"):
            zone.changes.request_account("alice", roles, by=PETRA)
    assert zone.accounts.get("alice") == before


@pytest.mark.parametrize(
    "roles",
    [("researcher", "reviewer"), ("reviewer", "platform"), ("platform", "researcher"), ("auditor", "platform"),
     ("city", "researcher"), ("service",), (), ("nobody",), ("bank",)],
)  # fmt: skip
def test_roles_that_do_not_go_together_are_refused(zone: AccountsZone, roles: tuple[str, ...]) -> None:
    """Neither by adding nor by changing may an account hold them."""
    zone.add("alice", "researcher")
    entries = zone.entries()
    with pytest.raises(Malformed):
        zone.changes.request_account("xiaoming", roles, by=PETRA)
    with pytest.raises(Malformed):
        zone.changes.request_roles("alice", roles, by=PETRA)
    assert zone.entries() == entries


def test_an_account_of_a_bank_carries_its_bank(zone: AccountsZone) -> None:
    """And no other account carries one."""
    zone.add("bai", "bank", bank="bohai")
    assert zone.accounts.get("bai").bank == "bohai"
    with pytest.raises(Malformed, match="bank"):
        zone.changes.request_account("bei", ("researcher",), by=PETRA, bank="bohai")


def test_a_role_that_judges_comes_with_a_new_enrolment(zone: AccountsZone) -> None:
    """A password that was enough for a researcher is worth nothing for a reviewer; other changes keep the enrolment."""
    zone.add("alice", "researcher")
    first = zone.accounts.get("alice").enrolment
    issued = zone.changes.request_roles("alice", ("reviewer",), by=PETRA)
    assert issued.token
    zone.changes.confirm(issued.change, by=PAVEL)
    account = zone.accounts.get("alice")
    assert account.roles == (Role.REVIEWER,)
    assert account.enrolment == digest_of(issued.token) != first
    back = zone.changes.request_roles("alice", ("researcher",), by=PETRA)
    assert (back.token, back.waits) == ("", True), "taking it away takes two people as well"
    zone.changes.confirm(back.change, by=PAVEL)
    assert zone.accounts.get("alice").enrolment == account.enrolment


def test_a_reset_ends_what_was_enrolled_before(zone: AccountsZone) -> None:
    """The roles stay, the enrolment is another."""
    zone.add("rita", "reviewer")
    before = zone.accounts.get("rita")
    issued = zone.changes.request_reset("rita", by=PETRA)
    assert zone.accounts.get("rita") == before, "nothing happens before the confirmation"
    zone.changes.confirm(issued.change, by=PAVEL)
    after = zone.accounts.get("rita")
    assert after.roles == before.roles
    assert after.enrolment != before.enrolment


def test_a_request_waits_for_three_days_at_most(zone: AccountsZone) -> None:
    """After that it can be refused or withdrawn."""
    issued = zone.changes.request_account("rita", ("reviewer",), by=PETRA)
    zone.clock.forward(hours=73)
    with pytest.raises(Lapsed):
        zone.changes.confirm(issued.change, by=PAVEL)
    zone.changes.withdraw(issued.change, by=PETRA)
    assert zone.accounts.changes() == []


def test_refusing_is_anothers_and_withdrawing_ones_own(zone: AccountsZone) -> None:
    """Both end the request."""
    for end, wrong, right in ((zone.changes.refuse, PETRA, PAVEL), (zone.changes.withdraw, PAVEL, PETRA)):
        issued = zone.changes.request_account("rita", ("reviewer",), by=PETRA)
        with pytest.raises(Refused):
            end(issued.change, by=wrong)
        end(issued.change, by=right)
        with pytest.raises(Missing):
            zone.changes.confirm(issued.change, by=PAVEL)
    assert "rita" not in zone.accounts.all()


def test_an_account_that_judges_nothing_is_removed_by_one_person_at_once(zone: AccountsZone) -> None:
    """Their own account is removed by no person."""
    zone.add("alice", "researcher")
    assert not zone.changes.request_removal("alice", by=PETRA).waits
    assert "alice" not in zone.accounts.all()
    with pytest.raises(Refused):
        zone.changes.request_removal("petra", by=PETRA)
    with pytest.raises(Malformed):
        zone.changes.request_removal("alice", by=PETRA)


@pytest.mark.parametrize("role", ["reviewer", "platform"])
def test_an_account_that_judges_is_removed_by_two_people(zone: AccountsZone, role: str) -> None:
    """Until the second confirms it, it is there; neither the requester nor the person alone is the second."""
    zone.add("rita", role)
    requested = zone.changes.request_removal("rita", by=PETRA)
    assert requested.waits
    assert requested.token == ""
    for by in (PETRA, Actor("rita", Role.PLATFORM), Actor("rita", Role(role))):
        with pytest.raises(Refused):
            zone.changes.confirm(requested.change, by=by)
    assert "rita" in zone.accounts.all()
    assert zone.changes.confirm(requested.change, by=PAVEL).code == ""
    assert "rita" not in zone.accounts.all()


def test_two_people_of_the_platform_stay(zone: AccountsZone) -> None:
    """Neither a removal nor other roles leave fewer, also when two were requested while there were enough."""
    zone.add("paula", "platform")
    removal, roles = (
        zone.changes.request_removal("pavel", by=PETRA),
        zone.changes.request_roles("paula", ("auditor",), by=PETRA),
    )
    paula = Actor("paula", Role.PLATFORM)
    zone.changes.confirm(removal.change, by=paula)
    with pytest.raises((Refused, Missing)):
        zone.changes.confirm(roles.change, by=PAVEL)
    zone.changes.withdraw(roles.change, by=PETRA)
    with pytest.raises(Refused, match="Fewer than 2"):
        zone.changes.request_removal("paula", by=PETRA)
    with pytest.raises(Refused, match="Fewer than 2"):
        zone.changes.request_roles("petra", ("auditor",), by=paula)
    assert {name for name, each in zone.accounts.all().items() if Role.PLATFORM in each.roles} == {"petra", "paula"}


@pytest.mark.parametrize("how", ["removed", "other roles"])
def test_what_someone_requested_ends_with_their_role(zone: AccountsZone, how: str) -> None:
    """The entry says which requests ended; a role that comes back does not bring them back."""
    zone.add("paula", "platform")
    paula = Actor("paula", Role.PLATFORM)
    theirs = zone.changes.request_account("remy", ("reviewer",), by=paula)
    if how == "removed":
        remove_account(zone.changes, "paula", by=PETRA, second=PAVEL)
    else:
        zone.changes.confirm(zone.changes.request_roles("paula", ("auditor",), by=PETRA).change, by=PAVEL)
    last = list(zone.ledger.entries())[-1]
    assert last.details["ended"] == [theirs.change]
    if how == "removed":
        zone.add("paula", "platform")
    else:
        zone.changes.confirm(zone.changes.request_roles("paula", ("platform",), by=PETRA).change, by=PAVEL)
    with pytest.raises(Missing):
        zone.changes.confirm(theirs.change, by=PAVEL)
    assert zone.accounts.changes() == []


def test_the_roles_of_a_name_are_known_for_every_moment(zone: AccountsZone) -> None:
    """A role begins with the confirmation and ends with the removal."""
    zone.add("alice", "researcher")
    issued = zone.changes.request_roles("alice", ("reviewer",), by=PETRA)
    zone.changes.confirm(issued.change, by=PAVEL)
    remove_account(zone.changes, "alice", by=PETRA, second=PAVEL)
    history = zone.accounts.history("alice")
    assert [roles for _, roles in history] == [(Role.RESEARCHER,), (Role.REVIEWER,), ()]
    for since, roles in history:
        assert zone.accounts.roles_at("alice", since) == roles
    assert zone.accounts.roles_at("alice", history[0][0] - timedelta(seconds=1)) == ()
    assert zone.accounts.roles_at("alice", history[1][0] - timedelta(microseconds=1)) == (Role.RESEARCHER,)
    assert zone.accounts.roles_at("nobody", history[0][0]) == ()


def test_a_name_that_comes_back_inherits_nothing(zone: AccountsZone) -> None:
    """The enrolment of a removed account is not the one of a new account with its name."""
    first = zone.add("alice", "researcher")
    zone.changes.request_removal("alice", by=PETRA)
    zone.add("alice", "researcher")
    assert zone.accounts.get("alice").enrolment != digest_of(first.token)
    assert zone.accounts.of_link(first.token) is None
