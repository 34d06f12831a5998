"""Every verb by every role, by no person, and by a person whose account is removed or changed meanwhile."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from credit.actor import Actor, Role
from credit.confirmation import Move
from credit.errors import CreditError, Refused
from credit.keys import KeyRing, SigningKey
from credit.ledger import Ledger
from credit.requests.desk_client import DeskClient
from credit.requests.flows import FLOWS
from credit.requests.request_states import Stage
from infra.desk import running
from infra.desk.city_marking import mark_invented
from infra.desk.os_users import OsUsers
from infra.home import Home
from lab.accounts.account_changes import AccountChanges
from lab.accounts.accounts import Accounts
from tests.lab.accounts.made_accounts import make_accounts, remove_account

pytestmark = pytest.mark.attack
PETRA, BOB = Actor("petra", Role.PLATFORM), Actor("bob", Role.PLATFORM)
NAMES = {
    Role.RESEARCHER: "alice", Role.REVIEWER: "rita", Role.PLATFORM: "petra", Role.CITY: "chen", Role.AUDITOR: "audra",
    Role.BANK: "bai",
}  # fmt: skip
ACTS = ("add", "roles", "reset", "confirm", "refuse", "withdraw", "remove")
ARGUMENTS = {"purpose": "scoring"}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """An invented home with a person in each role, and a third one of the platform."""
    made = Home(tmp_path_factory.mktemp("home") / "home")
    made.ensure_keys()
    mark_invented(made, ())
    ledger = made.ledger("desk", writing=True)
    changes = AccountChanges(ledger)
    changes.request_account("bai", ("bank",), by=PETRA, bank="bohai")
    make_accounts(ledger, {"paula": Role.PLATFORM}, by=PETRA)
    return made


@pytest.fixture(scope="module")
def socket(home: Home) -> Iterator[Path]:
    with running.desk(home, {"HAIHE_DESK_CONFIRM": "mandate"}) as path:
        yield path


def client(socket: Path, role: Role, name: str = "") -> DeskClient:
    return DeskClient(socket, by=f"{role}:{name or NAMES[role]}")


@pytest.mark.parametrize("verb", sorted(FLOWS))
def test_a_verb_is_requested_in_its_roles_and_in_no_other(home: Home, socket: Path, verb: str) -> None:
    """Nothing is written of a wrong role, of a role that the account has not, of no person and of a strange token."""
    roles, before = FLOWS[verb].roles, home.ledger("desk").head()
    wrong = [client(socket, role) for role in NAMES if role not in roles]
    wrong += [client(socket, role, "nina") for role in roles]
    wrong += [client(socket, role, NAMES[other]) for role in roles for other in NAMES if other != role]
    wrong += [DeskClient(socket), DeskClient(socket, token="x" * 43), DeskClient(socket, by=f"service:{verb}")]
    for each in wrong:
        with pytest.raises(Refused):
            each.request(verb, ARGUMENTS)
    assert home.ledger("desk").head() == before
    for role in roles:
        made = client(socket, role).request(verb, ARGUMENTS)
        assert made["by"] == f"{role}:{NAMES[role]}"
        client(socket, role).cancel(made["id"])


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("role", [role for role in NAMES if role is not Role.PLATFORM])
def test_accounts_are_changed_by_the_platform_alone(home: Home, socket: Path, act: str, role: Role) -> None:
    before = home.ledger("desk").head()
    body = {"account": "alice", "roles": ["reviewer"], "change": "change-0"}
    for each in (client(socket, role), client(socket, Role.PLATFORM, NAMES[role]), DeskClient(socket)):
        with pytest.raises(Refused):
            each.call("POST", f"/accounts/{act}", body)
    assert home.ledger("desk").head() == before


def test_the_list_of_accounts_is_for_the_platform_and_auditors(socket: Path) -> None:
    """A bank's person learns of no other, and neither does a researcher."""
    for role in NAMES:
        if role in (Role.PLATFORM, Role.AUDITOR):
            assert "bai" in str(client(socket, role).call("GET", "/accounts"))
        else:
            with pytest.raises(Refused):
                client(socket, role).call("GET", "/accounts")


def test_what_a_person_requested_ends_with_their_account_in_one_write(home: Home, socket: Path) -> None:
    """Waiting and unconfirmed requests, the entries directly behind the removal; another person's go on."""
    petra, bob, paula = (client(socket, Role.PLATFORM, name) for name in ("petra", "bob", "paula"))
    theirs = [paula.request("snapshot", {"n": 1})["id"], paula.request("mandate", {"bank": "bohai"})["id"]]
    others = petra.request("snapshot", {"n": 2})["id"]
    change = petra.call("POST", "/accounts/remove", {"account": "paula"})
    assert change["waits"]
    assert paula.call("GET", "/whoami")["account"] == "paula", "nothing happens before the confirmation"
    bob.call("POST", "/accounts/confirm", {"change": change["change"]})
    last = list(home.ledger("desk").entries())[-3:]
    assert [(each.verb, each.object) for each in last[1:]] == [("request.cancelled", each) for each in theirs]
    assert (last[0].verb, last[0].object) == ("account.removed", "user-paula")
    assert all(each.details == {"why": "no-role-now", "account": "paula"} for each in last[1:])
    assert petra.state(others)["stage"] == Stage.OPEN
    for each in theirs:
        assert petra.state(each)["stage"] == Stage.CANCELLED
        with pytest.raises(CreditError):
            bob.call("POST", f"/requests/{each}/confirm")
    with pytest.raises(Refused):
        paula.request("snapshot", {"n": 1})
    petra.cancel(others)


def test_a_role_that_ends_ends_what_was_requested_in_it(home: Home, socket: Path) -> None:
    """And a request that was there before the desk began, of an account that another program changed, ends soon."""
    petra, chen = client(socket, Role.PLATFORM), client(socket, Role.CITY)
    made = chen.request("release", {"purpose": "inquiry"})["id"]
    petra.call("POST", "/accounts/roles", {"account": "chen", "roles": ["researcher"]})
    assert petra.state(made)["stage"] == Stage.CANCELLED
    petra.call("POST", "/accounts/roles", {"account": "chen", "roles": ["city"]})
    assert petra.state(made)["stage"] == Stage.CANCELLED, "a role that comes back brings nothing back"
    made = chen.request("release", {"purpose": "inquiry"})["id"]
    AccountChanges(home.ledger("desk", writing=True)).request_roles("chen", ("researcher",), by=PETRA)
    until = time.monotonic() + 60
    while petra.state(made)["stage"] != Stage.CANCELLED:
        assert time.monotonic() < until
    AccountChanges(home.ledger("desk", writing=True)).request_roles("chen", ("city",), by=PETRA)


def test_fewer_than_two_of_the_platform_are_refused_in_words(socket: Path) -> None:
    petra = client(socket, Role.PLATFORM)
    with pytest.raises(Refused, match="Fewer than 2"):
        petra.call("POST", "/accounts/remove", {"account": "bob"})


def test_the_user_of_a_removed_account_is_no_account_that_comes_back(tmp_path: Path) -> None:
    """A uid of the machine that was a person's is not the next person's of that name."""
    key = SigningKey.create(tmp_path / "keys", "desk")
    ledger = Ledger(tmp_path / "desk.jsonl", key, KeyRing.of(key), "desk")
    make_accounts(ledger, {"alice": Role.RESEARCHER, "paula": Role.PLATFORM}, by=PETRA, second=BOB)
    users, paula = OsUsers(ledger), Actor("paula", Role.PLATFORM)
    users.request(1000, "alice", by=PETRA)
    users.decide(1000, Move.CONFIRM, by=BOB)
    users.request(1001, "chen", by=paula)
    assert users.all() == {1000: "alice"}
    for name in ("alice", "paula"):
        remove_account(AccountChanges(ledger), name, by=PETRA, second=BOB)
    make_accounts(ledger, {"alice": Role.RESEARCHER}, by=PETRA, second=BOB)
    assert "alice" in Accounts(ledger).all()
    assert users.all() == {}
    assert users.waiting() == []
