"""A trained version of individual businesses is in production when the second of two people has approved it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from credit.actor import Actor, Role
from credit.errors import Broken, Refused
from credit.gate import Finding, Gate, Outcome
from credit.keys import SigningKey
from credit.ledger import Ledger
from credit.messages import Text
from credit.separation.involvement import PeopleHistory
from credit.shelf import OpenedSeal, Shelf
from credit.versions import champion_of
from models.distributed.ray_cluster import Tasks
from models.promotion.measured_version import PromotionCase
from models.promotion.promote import promote, register, roll_back
from models.registry.mlflow_registry import Registry
from models.training.pipeline import train
from tests.credit.separation.account_changes import AccountsSince
from tests.models import invented_release as made

pytestmark = pytest.mark.servers
MODEL = "of_every_kind_in_a_test"
DORA, ERIK = Actor("dora", Role.PLATFORM), Actor("erik", Role.PLATFORM)
Keys = Mapping[str, SigningKey]


def gate(outcome: Outcome = Outcome.PASS, least: float = 0.6) -> Gate[PromotionCase]:
    finding = Finding.of("parity", outcome, Text.verbatim("a group is off"))
    return Gate("promotion", (lambda *_: finding,), {"auc_low_at_least": least})


@pytest.fixture(scope="module")
def of_every_kind(
    release: OpenedSeal, shelf: Shelf, keys: Keys, ledger: Ledger, registry: Registry, ray_cluster: Tasks
) -> OpenedSeal:
    order = made.order(shelf, keys["research"], release, model=MODEL, subject_kind=None)
    work: dict[str, Any] = {"key": keys["compute"], "tracking": registry, "tasks": ray_cluster}
    seal = train(order, by=made.RESEARCHER, shelf=shelf, ledger=ledger, answered=made.answered(ledger), **work)
    register(shelf.open(seal.id), by=made.RESEARCHER, ledger=ledger, registry=registry)
    return shelf.open(seal.id)


@pytest.mark.attack
def test_two_people_one_after_the_other(
    of_every_kind: OpenedSeal, shelf: Shelf, keys: Keys, ledger: Ledger, registry: Registry, ray_cluster: Tasks
) -> None:
    """Nothing is in production before the second; neither the same person, nor one who left, nor a changed text."""
    roles = {each.name: Role.PLATFORM for each in (made.CHECKER, DORA, ERIK)}
    accounts = AccountsSince(roles | {made.RESEARCHER.name: Role.RESEARCHER})
    zone: dict[str, Any] = {"shelf": shelf, "platform_key": keys["platform"], "ledger": ledger, "registry": registry}
    zone |= {"people": lambda: PeopleHistory.of((), accounts)}
    measure: dict[str, Any] = zone | {"tasks": ray_cluster}
    name = of_every_kind.seal.id

    first = promote(of_every_kind, by=ERIK, gate=gate(), **measure)
    assert (first.granted, first.needed, first.approved_by) == (False, 2, ("erik",))
    assert champion_of(shelf, MODEL) == ""
    with pytest.raises(Refused, match="requested or confirmed it themselves"):
        promote(of_every_kind, by=ERIK, gate=gate(), **measure)

    accounts.change(ERIK.name)  # the account of the first is removed
    second = promote(of_every_kind, by=made.CHECKER, gate=gate(), **measure)
    assert (second.granted, second.approved_by) == (False, ("bob",)), "the first approval counts no more"
    assert champion_of(shelf, MODEL) == ""

    text = of_every_kind.path / "model.txt"
    before = text.read_bytes()
    text.chmod(0o600)
    text.write_bytes(before.replace(b"leaf_value", b"leaf_walue", 1))
    with pytest.raises(Broken):  # the version was changed on the shelf between the approvals
        promote(shelf.open(name), by=DORA, gate=gate(), **measure)
    text.write_bytes(before)

    stricter = promote(of_every_kind, by=DORA, gate=gate(least=0.61), **measure)
    assert stricter.approved_by == ("dora",), "another threshold: what the first approved is not what is judged now"
    assert champion_of(shelf, MODEL) == ""
    with pytest.raises(Refused):  # not promoted yet: there is nothing to roll back to
        roll_back(of_every_kind, why="a trial", by=DORA, **zone)

    done = promote(of_every_kind, by=made.CHECKER, gate=gate(least=0.61), **measure)
    assert (done.granted, done.approved_by) == (True, ("dora", "bob"))
    assert champion_of(shelf, MODEL) == name
    granted = ledger.about(name)[-1]
    assert [each["by"] for each in granted.details["approvals"]] == ["platform:dora"]
    assert [entry.verb for entry in ledger.about(name)].count("promotion.approved") == 3
