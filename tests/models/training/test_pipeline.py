"""An order becomes a version on a real cluster, the same one each time; the gate, another person, makes it champion."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from credit.actor import Role
from credit.errors import Broken, Lapsed, Malformed, Missing, Refused
from credit.gate import Finding, Gate, Outcome
from credit.keys import KeyRing, SigningKey
from credit.ledger import Ledger
from credit.messages import Text
from credit.seal import Kind
from credit.separation.involvement import PeopleHistory
from credit.shelf import OpenedSeal, Shelf
from models.distributed.ray_cluster import Tasks, in_process
from models.promotion.measured_version import PromotionCase
from models.promotion.promote import promote, refuse, register, roll_back
from models.registry.mlflow_registry import Registry
from models.registry.version import FILES
from models.scoring.scorer import Scorer
from models.training.pipeline import train
from tests.credit.separation.account_changes import AccountsSince
from tests.models import invented_release as made
from tests.models.killing import killer

pytestmark = pytest.mark.servers
Keys = Mapping[str, SigningKey]
TODAY = date(2026, 3, 15)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("place")


@pytest.fixture(scope="module")
def shelf(place: Path, ring: KeyRing) -> Shelf:
    return Shelf(place / "shelf", ring)


@pytest.fixture(scope="module")
def ledger(place: Path, keys: Keys, ring: KeyRing) -> Ledger:
    return Ledger(place / "ledger.jsonl", keys["compute"], ring)


@pytest.fixture(scope="module")
def registry(mlflow_server: str) -> Registry:
    return Registry(mlflow_server)


@pytest.fixture(scope="module")
def release(shelf: Shelf, keys: Keys) -> OpenedSeal:
    return made.release(shelf, keys["custody"])


@pytest.fixture(scope="module")
def order(shelf: Shelf, keys: Keys, release: OpenedSeal) -> OpenedSeal:
    return made.order(shelf, keys["research"], release, model="trained_in_a_test")


@pytest.fixture(scope="module")
def version(
    order: OpenedSeal, shelf: Shelf, keys: Keys, ledger: Ledger, registry: Registry, ray_cluster: Tasks
) -> OpenedSeal:
    seal = train(
        order,
        shelf=shelf,
        key=keys["compute"],
        by=made.RESEARCHER,
        ledger=ledger,
        tracking=registry,
        answered=made.answered(ledger),
        tasks=ray_cluster,
        today=TODAY,
    )
    return shelf.open(seal.id)


def test_the_version_is_whole_and_scores(
    version: OpenedSeal, order: OpenedSeal, ledger: Ledger, registry: Registry
) -> None:
    assert set(version.seal.files) == set(FILES)
    assert version.seal.parents == (order.seal.id,)
    assert version.seal.terms["invented"] is True
    assert len(Scorer.load(version.path).card.names) == 3
    evidence = json.loads((version.path / "evidence.json").read_text())
    assert evidence["judged_by"] == "out of time"
    assert evidence["auc_low"] > 0.6
    assert [entry.verb for entry in ledger.about(version.seal.id)][:1] == ["version.made"]
    assert [entry.verb for entry in ledger.about(order.seal.id)] == ["training.started", "training.counted"]
    assert registry.find_run("trained_in_a_test", version.seal.id)


def test_its_run_holds_trials_folds_curves_and_plots(
    version: OpenedSeal, order: OpenedSeal, registry: Registry
) -> None:
    client, document = registry._client, json.loads((version.path / "version.json").read_text())
    run = client.get_run(registry.find_run("trained_in_a_test", version.seal.id))
    assert registry.list_runs("trained_in_a_test") == [run.info.run_id], "the runs within it are not runs of the model"
    assert run.data.tags["order"] == order.seal.id
    assert run.data.tags["release"] == order.seal.parents[0]
    assert {"version.python", "version.lightgbm", "version.ray", "platform"} <= set(run.data.tags)
    for name, rises in (("learned_log_loss", False), ("learned_auc", True), ("out_of_time_auc", True)):
        curve = [point.value for point in client.get_metric_history(run.info.run_id, name)]
        assert len(curve) > 5
        assert (curve[-1] > curve[0]) is rises
    inner = client.search_runs(
        [run.info.experiment_id], f"tags.`mlflow.parentRunId` = '{run.info.run_id}'", max_results=100
    )
    names = {each.info.run_name for each in inner}
    assert names == {"trial 1", "trial 2", "fold 0", "fold 1", "fold 2"}
    assert all(each.info.status == "FINISHED" and "auc" in each.data.metrics for each in inner)
    best = max(each.data.metrics["best_auc"] for each in inner if each.info.run_name.startswith("trial"))
    assert best == max(each["auc"] for each in document["training"]["compared"])
    drawn = {file.path: file.file_size for file in client.list_artifacts(run.info.run_id, "plots")}
    pictures = {f"plots/{name}.png" for name in ("roc", "calibration", "importance", "search")}
    assert set(drawn) == pictures | {"plots/scorecard.csv"}
    assert min(drawn[name] for name in pictures) > 5_000


def test_the_same_order_gives_the_same_version(
    version: OpenedSeal,
    order: OpenedSeal,
    keys: Keys,
    ring: KeyRing,
    registry: Registry,
    tmp_path: Path,
    release: OpenedSeal,
) -> None:
    """On another shelf, without a cluster, and by another person."""
    other = Shelf(tmp_path / "shelf", ring)
    again = made.order(other, keys["research"], made.release(other, keys["custody"]), model="trained_in_a_test")
    assert again.seal.id == order.seal.id
    ledger = Ledger(tmp_path / "ledger.jsonl", keys["compute"], ring)
    seal = train(
        again,
        shelf=other,
        key=keys["compute"],
        by=made.CHECKER,
        ledger=ledger,
        tracking=registry,
        answered=made.answered(ledger),
        tasks=in_process(),
    )
    assert seal.id == version.seal.id


def search_begins(begun: threading.Event) -> Callable[[str, int, int], None]:
    return lambda step, done, total: begun.set() if step == "search" else None


def test_a_worker_killed_in_the_middle_changes_nothing(
    version: OpenedSeal,
    order: OpenedSeal,
    shelf: Shelf,
    keys: Keys,
    ring: KeyRing,
    registry: Registry,
    ray_cluster: Tasks,
    tmp_path: Path,
) -> None:
    begun, ledger = threading.Event(), Ledger(tmp_path / "ledger.jsonl", keys["compute"], ring)
    office = {"shelf": shelf, "key": keys["compute"], "ledger": ledger, "tracking": registry, "tasks": ray_cluster}
    office["answered"] = made.answered(ledger)
    with killer("_run", 1, after=begun) as killed:
        seal = train(order, by=made.RESEARCHER, progress=search_begins(begun), **office)  # type: ignore[arg-type]
    assert len(killed) == 1
    assert seal.id == version.seal.id


def test_workers_killed_each_time_end_in_words_and_nothing_is_registered(
    release: OpenedSeal, shelf: Shelf, keys: Keys, ledger: Ledger, registry: Registry, ray_cluster: Tasks
) -> None:
    begun, before = threading.Event(), len(shelf.list(Kind.VERSION))
    order = made.order(shelf, keys["research"], release, model="killed_each_time", training={"trials": 1})
    office = {"shelf": shelf, "key": keys["compute"], "ledger": ledger, "tracking": registry, "tasks": ray_cluster}
    office["answered"] = made.answered(ledger)
    with killer("_run", 1000, after=begun), pytest.raises(Broken, match="The cluster lost a task"):
        train(order, by=made.RESEARCHER, progress=lambda *_: begun.set(), **office)  # type: ignore[arg-type]
    assert registry.list_runs("killed_each_time") == []
    assert len(shelf.list(Kind.VERSION)) == before
    assert train(order, by=made.RESEARCHER, **office).parents == (order.seal.id,)  # type: ignore[arg-type]


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
    verdict = promote(version, by=made.CHECKER, tasks=ray_cluster, today=TODAY, **office)  # type: ignore[arg-type]
    assert verdict.passed
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
    roll_back(version, why="a trial", by=made.CHECKER, **services)  # type: ignore[arg-type]
    assert registry.champion("trained_in_a_test") == version.seal.id


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


def test_nothing_is_made_or_logged_of_a_sample_of_one_outcome(
    release: OpenedSeal, shelf: Shelf, keys: Keys, ledger: Ledger, registry: Registry
) -> None:
    label = {"table": "loan_performance", "when": "overdue_days >= 9999", "window_months": 6}
    order = made.order(shelf, keys["research"], release, model="of_one_outcome", label=label)
    before = len(shelf.list(Kind.VERSION))
    with pytest.raises(Refused, match="one outcome"):
        train(
            order,
            shelf=shelf,
            key=keys["compute"],
            by=made.RESEARCHER,
            ledger=ledger,
            tracking=registry,
            answered=made.answered(ledger),
            tasks=in_process(),
        )
    assert len(shelf.list(Kind.VERSION)) == before


def test_a_lapsed_release_another_kind_and_a_server_that_is_away(
    release: OpenedSeal, order: OpenedSeal, shelf: Shelf, keys: Keys, ledger: Ledger, registry: Registry
) -> None:
    office = {"shelf": shelf, "key": keys["compute"], "by": made.RESEARCHER, "ledger": ledger, "tasks": in_process()}
    office["answered"] = made.answered(ledger)
    with pytest.raises(Lapsed):
        train(order, tracking=registry, today=date(2027, 1, 1), **office)  # type: ignore[arg-type]
    with pytest.raises(Malformed, match="not an order"):
        train(release, tracking=registry, **office)  # type: ignore[arg-type]
    with pytest.raises(Missing, match="MLflow"):
        train(order, tracking=Registry("http://127.0.0.1:1"), **office)  # type: ignore[arg-type]
