"""An order becomes a version on a real cluster, the same one each time; the gate, another person, makes it champion."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path

import pytest

from credit.errors import Broken, Lapsed, Malformed, Missing, Refused
from credit.keys import KeyRing, SigningKey
from credit.ledger import Ledger
from credit.seal import Kind
from credit.shelf import OpenedSeal, Shelf
from models.distributed.ray_cluster import Tasks, in_process
from models.registry.mlflow_registry import Registry
from models.registry.version import FILES
from models.scoring.scorer import Scorer
from models.training.pipeline import train
from tests.models import invented_release as made
from tests.models.killing import killer

pytestmark = pytest.mark.servers
Keys = Mapping[str, SigningKey]
TODAY = date(2026, 3, 15)


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
