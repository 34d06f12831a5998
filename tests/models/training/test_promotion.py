"""A version is requested, judged by another person, promoted, accepted with a reason, refused and rolled back to."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from typing import Any

import pytest

from credit.actor import Role
from credit.errors import Missing, Refused
from credit.gate import Finding, Gate, Outcome
from credit.keys import SigningKey
from credit.ledger import Ledger
from credit.messages import Text
from credit.seal import Kind
from credit.separation.involvement import PeopleHistory
from credit.shelf import OpenedSeal, Shelf
from models.distributed.ray_cluster import Tasks
from models.promotion.measured_version import PromotionCase
from models.promotion.promote import promote, refuse, register, roll_back
from models.registry.mlflow_registry import Registry
from models.training.pipeline import train
from tests.credit.separation.account_changes import AccountsSince
from tests.models import invented_release as made

pytestmark = pytest.mark.servers
Keys = Mapping[str, SigningKey]
TODAY = date(2026, 3, 15)


def read_people() -> PeopleHistory:
    """The accounts of the maker and the checker; no project placed the order."""
    accounts = {made.RESEARCHER.name: Role.RESEARCHER, made.CHECKER.name: Role.PLATFORM}
    return PeopleHistory.of((), AccountsSince(accounts))


def test_promotion_from_the_request_to_the_alias(
    version: OpenedSeal, shelf: Shelf, keys: Keys, ledger: Ledger, registry: Registry, ray_cluster: Tasks
) -> None:
    zone = {"shelf": shelf, "platform_key": keys["platform"], "ledger": ledger, "registry": registry}
    office: dict[str, object] = zone | {"people": read_people}
    with pytest.raises(Missing, match="There is no request for"):
        promote(version, by=made.CHECKER, tasks=ray_cluster, **office)  # type: ignore[arg-type]
    assert register(version, by=made.RESEARCHER, ledger=ledger, registry=registry) == "1"
    assert register(version, by=made.RESEARCHER, ledger=ledger, registry=registry) == "1"
    with pytest.raises(Refused, match="role platform"):
        promote(version, by=made.RESEARCHER, tasks=ray_cluster, **office)  # type: ignore[arg-type]
    maker = type(made.CHECKER)(made.RESEARCHER.name, made.CHECKER.role)
    with pytest.raises(Refused, match="requested or confirmed it themselves"):
        promote(version, by=maker, tasks=ray_cluster, **office)  # type: ignore[arg-type]
    decision = promote(version, by=made.CHECKER, tasks=ray_cluster, today=TODAY, **office)  # type: ignore[arg-type]
    assert decision.verdict.passed
    assert decision.granted
    pointer = shelf.pointer("champion-trained_in_a_test", {"platform"})
    assert pointer is not None
    assert pointer["version"] == version.seal.id
    assert registry.champion("trained_in_a_test") == version.seal.id
    verbs = [entry.verb for entry in ledger.about(version.seal.id)]
    assert verbs == ["version.made", "promotion.asked", "promotion.granted"]


def test_a_challenger_with_less_information_does_not_pass(
    version: OpenedSeal,
    release: OpenedSeal,
    shelf: Shelf,
    keys: Keys,
    ledger: Ledger,
    registry: Registry,
    ray_cluster: Tasks,
) -> None:
    declared = made.declaration()["features"]
    poor = made.order(
        shelf,
        keys["research"],
        release,
        model="trained_in_a_test",
        features=[declared[2]],
        sql="SELECT o.subject, date_diff('month', r.registered_on, o.as_of) AS age_months "
        "FROM observation o LEFT JOIN registration r USING (subject)",
    )
    office = {"shelf": shelf, "ledger": ledger}
    work = {"key": keys["compute"], "tracking": registry, "tasks": ray_cluster}
    work["answered"] = made.answered(ledger)
    seal = train(poor, by=made.RESEARCHER, **work, **office)  # type: ignore[arg-type]
    challenger = shelf.open(seal.id)
    (compared,) = [entry.details["champion"] for entry in ledger.about(seal.id) if entry.verb == "version.made"]
    of_version = json.loads((version.path / "evidence.json").read_text())
    assert compared["version"] == version.seal.id
    assert {name: compared["evidence"][name] for name in ("auc", "ks", "roc")} == {
        name: of_version[name] for name in ("auc", "ks", "roc")
    }, "on the same rows the champion does as its own evidence says"
    assert compared["gain"]["auc"] < 0
    assert "tree" not in json.dumps(dict(compared)), "no text of a model returns"
    register(challenger, by=made.RESEARCHER, ledger=ledger, registry=registry)
    services = office | {"platform_key": keys["platform"], "registry": registry, "people": read_people}
    with pytest.raises(Refused, match="champion") as refusal:
        promote(challenger, by=made.CHECKER, tasks=ray_cluster, **services)  # type: ignore[arg-type]
    assert refusal.value.findings
    assert registry.champion("trained_in_a_test") == version.seal.id
    assert ledger.about(seal.id)[-1].verb == "promotion.refused"
    with pytest.raises(Refused, match="never promoted"):
        roll_back(challenger, why="a trial", by=made.CHECKER, **services)  # type: ignore[arg-type]
    ready = [_snapshot(shelf, keys, version, day) for day in ("2026-03-02", "2026-03-09", "2026-02-01")]
    _snapshot(shelf, keys, challenger, "2026-03-12")
    roll_back(version, why="a trial", by=made.CHECKER, today=TODAY, **services)  # type: ignore[arg-type]
    assert registry.champion("trained_in_a_test") == version.seal.id
    pointer = shelf.pointer("snapshot-trained_in_a_test", {"platform"})
    assert pointer is not None
    assert (pointer["snapshot"], pointer["version"]) == (ready[1], version.seal.id), "it answers at once"
    assert ledger.about(version.seal.id)[-1].details["snapshot"] == ready[1]


def _snapshot(shelf: Shelf, keys: Keys, version: OpenedSeal, day: str) -> str:
    """A sealed snapshot of a version as of a day, of nothing."""
    with shelf.staging() as folder:
        (folder / "answers.bin").write_bytes(day.encode())
        terms = {"model": "trained_in_a_test", "version": version.seal.id, "as_of": day}
        made_of: dict[str, Any] = {"parents": (version.seal.id,), "terms": terms, "by": made.CHECKER}
        ends = date(2026, 5, 1)
        return shelf.put(folder, Kind.SNAPSHOT, expires_on=ends, key=keys["compute"], **made_of).id


def test_a_person_accepts_what_the_gate_leaves_to_one_and_refuses_without_measuring(
    version: OpenedSeal, shelf: Shelf, keys: Keys, ledger: Ledger, registry: Registry, ray_cluster: Tasks
) -> None:
    """A waiver is in the ledger with its checks; it opens no gate for a failed check."""
    zone = {"shelf": shelf, "ledger": ledger, "people": read_people}
    services = zone | {"platform_key": keys["platform"], "registry": registry, "tasks": ray_cluster}
    name, model = version.seal.id, version.seal.terms["model"]

    def gate(outcome: Outcome) -> Gate[PromotionCase]:
        return Gate("promotion", (lambda *_: Finding.of("parity", outcome, Text.verbatim("a group is off")),), {})

    register(version, by=made.RESEARCHER, ledger=ledger, registry=registry)
    for outcome, waiver in ((Outcome.REVIEW, ""), (Outcome.FAIL, "I accept it")):
        with pytest.raises(Refused) as refused:
            promote(version, by=made.CHECKER, gate=gate(outcome), waiver=waiver, **services)  # type: ignore[arg-type]
        assert refused.value.findings
        ledger.append("promotion.asked", name, by=made.RESEARCHER, details={"model": model})
    promote(version, by=made.CHECKER, gate=gate(Outcome.REVIEW), waiver="The group is small", **services)  # type: ignore[arg-type]
    granted = ledger.about(name)[-1]
    assert granted.details["waiver"] == {"why": "The group is small", "checks": ["parity"]}
    with pytest.raises(Refused):  # nothing waits
        refuse(version, why="no", by=made.CHECKER, **zone)  # type: ignore[arg-type]


@pytest.mark.attack
def test_a_request_is_refused_by_a_person_who_had_no_part_in_it(
    release: OpenedSeal, shelf: Shelf, keys: Keys, ledger: Ledger, registry: Registry
) -> None:
    """With a reason, without measuring; the maker does not, and what was refused may be requested again."""
    with shelf.staging() as folder:
        (folder / "version.json").write_text("{}")
        made_of: dict[str, Any] = {"parents": (release.seal.id,), "terms": {"model": "refused_in_a_test"}}
        ends = {"expires_on": release.seal.expires_on, "by": made.RESEARCHER, "key": keys["compute"]}
        seal = shelf.put(folder, Kind.VERSION, **made_of, **ends)
    waiting = shelf.open(seal.id)
    zone: dict[str, Any] = {"shelf": shelf, "ledger": ledger, "people": read_people}
    ledger.append("promotion.asked", seal.id, by=made.RESEARCHER, details={"model": "refused_in_a_test"})
    maker = type(made.CHECKER)(made.RESEARCHER.name, made.CHECKER.role)
    for person in (made.RESEARCHER, maker):
        with pytest.raises(Refused):
            refuse(waiting, why="no", by=person, **zone)
    refuse(waiting, why="Its label is wrong", by=made.CHECKER, **zone)
    last = ledger.about(seal.id)[-1]
    assert (last.verb, last.details["why"], last.by) == ("promotion.refused", "Its label is wrong", made.CHECKER)
    with pytest.raises(Refused):
        refuse(waiting, why="again", by=made.CHECKER, **zone)
