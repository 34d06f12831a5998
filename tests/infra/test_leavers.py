"""The waiting trainings, rows and tables of a person who left end, and only those; the entry says why."""

from __future__ import annotations

from pathlib import Path

import pytest

from credit.actor import Actor, Role
from credit.keys import KeyRing, SigningKey
from credit.ledger import Ledger
from credit.order_requests import ALL, RequestVerbs
from infra.agents.leavers import LeaversDuty
from lab.accounts.account_changes import AccountChanges
from lab.accounts.accounts import Accounts
from tests.lab.accounts.made_accounts import make_accounts, remove_account

ALICE, ANNA = Actor("alice", Role.RESEARCHER), Actor("anna", Role.RESEARCHER)


@pytest.mark.parametrize("verbs", ALL, ids=lambda verbs: verbs.requested)
def test_requests_of_people_who_left_end(tmp_path: Path, verbs: RequestVerbs) -> None:
    keys = {zone: SigningKey.create(tmp_path / "keys" / zone, zone) for zone in ("desk", "research", "compute")}
    ring = KeyRing.of(*keys.values())
    desk, research, compute = (Ledger(tmp_path / f"{zone}.jsonl", key, ring, zone) for zone, key in keys.items())
    accounts = make_accounts(desk, {"alice": Role.RESEARCHER, "anna": Role.RESEARCHER})
    for by, order in ((ALICE, "order-1"), (ALICE, "order-2"), (ANNA, "order-1")):
        research.append(verbs.requested, order, by=by, details={"project": by.name, "model": "m"})
    compute.append(verbs.made, "seal-2", by=Actor("compute", Role.SERVICE), details={"order": "order-2"})
    duty = LeaversDuty(research, Accounts.cached(desk), tmp_path, ring)
    duty()
    assert research.head()[0] == 3
    remove_account(AccountChanges(desk), "alice")
    duty()
    duty()
    (cancelled,) = [each for each in research.entries() if each.verb == verbs.cancelled]
    assert (cancelled.object, cancelled.details["project"]) == ("order-1", "alice")
    assert (cancelled.details["why"], cancelled.details["account"]) == ("no-role-now", "alice")
    assert "anna" in accounts.all()
