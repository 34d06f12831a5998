"""A uid is an account's when two people of the platform wrote that down; uid 0 is never one's."""

from __future__ import annotations

import pytest

from credit.actor import Actor
from credit.confirmation import Move, request_details
from credit.errors import CreditError, Malformed, Missing, Refused
from infra.desk.os_users import ACT, RULES, OsUsers
from tests.infra.desk.conftest import Ledgers

PETRA, PAUL, ALICE = (Actor.parse(name) for name in ("platform:petra", "platform:paul", "researcher:alice"))
ONE_PERSON = {"requests": ["platform"], "confirms": [], "people": 1, "hours": 1}


@pytest.fixture
def users(ledgers: Ledgers) -> OsUsers:
    return OsUsers(ledgers.front)


def test_two_people_map_a_user_and_one_takes_it_back(users: OsUsers) -> None:
    """A request alone maps nothing and takes nothing away; a removal counts at once, also for what waits."""
    users.request(1001, "alice", by=PETRA)
    assert (users.all(), len(users.waiting())) == ({}, 1)
    users.decide(1001, Move.CONFIRM, by=PAUL)
    assert users.all() == {1001: "alice"}
    users.request(1001, "rita", by=PAUL)
    assert users.all() == {1001: "alice"}
    users.remove(1001, by=PAUL)
    assert users.all() == {}
    with pytest.raises(CreditError):
        users.decide(1001, Move.CONFIRM, by=PETRA)
    assert users.all() == {}


@pytest.mark.parametrize(
    ("account", "requester", "confirmer"),
    [
        ("alice", PETRA, PETRA),
        ("petra", PETRA, PAUL),
        ("paul", PETRA, PAUL),
        ("alice", ALICE, PETRA),
        ("rita", PETRA, ALICE),
    ],
)
def test_one_person_alone_maps_no_user(users: OsUsers, account: str, requester: Actor, confirmer: Actor) -> None:
    """The one who confirms is another than the one who requested, both are of the platform, and neither gets it."""
    refusals = 0
    for step in (
        lambda: users.request(1001, account, by=requester),
        lambda: users.decide(1001, Move.CONFIRM, by=confirmer),
    ):
        try:
            step()
        except (Refused, Missing):
            refusals += 1
    assert refusals >= 1
    assert users.all() == {}


@pytest.mark.parametrize("uid", [0, -1, 2**32 - 1, 2**40, 65_534])
def test_root_is_never_mapped(users: OsUsers, uid: int) -> None:
    """Uid 0 is refused when it is written, and ignored when it stands in the ledger nevertheless."""
    with pytest.raises(Malformed):
        users.request(uid, "alice", by=PETRA)
    details = request_details(ACT, RULES, uid=uid, account="alice")
    users.ledger.append("os-user.requested", f"os-user-{uid}", by=PETRA, details=details)
    users.ledger.append("os-user.confirmed", f"os-user-{uid}", by=PAUL)
    assert users.all() == {}


@pytest.mark.parametrize(
    "changed",
    [
        {"rule": ONE_PERSON},
        {"uid": True},
        {"uid": 1002},
        {"account": ""},
        {"account": None},
        {"act": "other"},
        {"rule": 1},
    ],
)
def test_an_entry_of_another_form_maps_nothing(users: OsUsers, changed: dict[str, object]) -> None:
    """What was written past the writer, such as a rule of one person, is ignored by every reader."""
    details = request_details(ACT, RULES, uid=1001, account="alice") | changed
    users.ledger.append("os-user.requested", "os-user-1001", by=PETRA, details=details)
    users.ledger.append("os-user.confirmed", "os-user-1001", by=PAUL)
    users.ledger.append("os-user.mapped", "os-user-1001", by=PAUL, details={"uid": 1001, "account": "alice"})
    assert users.all() == {}
