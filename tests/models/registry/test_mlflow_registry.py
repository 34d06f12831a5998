"""MLflow, a real server: a version is registered once, as plain files, and the champion is where it was put."""

from __future__ import annotations

from pathlib import Path

import pytest

from credit.errors import Missing
from models.registry.mlflow_registry import NestedRun, Registry

pytestmark = pytest.mark.servers
ONE, TWO = f"version-{'1' * 64}", f"version-{'2' * 64}"


def test_runs_versions_and_the_alias(mlflow_server: str, folder: Path) -> None:
    registry = Registry(mlflow_server)
    model = "enterprise-of-a-test"
    assert registry.champion(model) is None
    assert registry.find_run(model, ONE) is None
    runs = {}
    for seal in (ONE, TWO):
        tags = {"seal": seal, "order": "order-1"}
        runs[seal] = registry.log_run(model, params={"leaves": 4}, metrics={"auc": 0.7}, tags=tags, folder=folder)
        assert registry.find_run(model, seal) == runs[seal]
    assert registry.register(model, ONE, runs[ONE]) == "1"
    assert registry.register(model, ONE, runs[ONE]) == "1"
    with pytest.raises(Missing, match="not registered"):
        registry.set_champion(model, TWO)
    assert registry.register(model, TWO, runs[TWO]) == "2"
    for seal in (ONE, TWO, ONE):
        registry.set_champion(model, seal)
        assert registry.champion(model) == seal


def test_a_run_that_is_cut_off_belongs_to_no_version(mlflow_server: str, folder: Path) -> None:
    registry, model = Registry(mlflow_server), "cut-off-in-a-test"
    long = [(step, step / 2) for step in range(2_000)]
    inner = [NestedRun("fold 0", {"fold": 0}, {"auc": 0.7}, {}), NestedRun("fold 1", {}, {"auc": "no number"}, {})]  # type: ignore[dict-item]
    contents = {"params": {}, "metrics": {"auc": 0.7}, "tags": {"seal": ONE}, "curves": {"learned": long}}
    with pytest.raises(ValueError):
        registry.log_run(model, nested=inner, folder=folder, **contents)  # type: ignore[arg-type]
    assert registry.find_run(model, ONE) is None
    run = registry.log_run(model, nested=inner[:1], folder=folder, **contents)  # type: ignore[arg-type]
    assert registry.find_run(model, ONE) == run
    assert len(registry._client.get_metric_history(run, "learned")) == len(long)


def test_a_server_that_is_away_is_named_in_words() -> None:
    with pytest.raises(Missing, match="does not answer"):
        Registry("http://127.0.0.1:1").require()
