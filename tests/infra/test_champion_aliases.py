"""An alias in MLflow that was moved by hand is set back to what the platform signed, and the ledger names both."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from credit.champion_history import RESTORED
from credit.keys import KeyRing, SigningKey
from credit.ledger import Ledger
from credit.shelf import Shelf
from infra.agents.champion_aliases import AliasWatch
from models.registry.mlflow_registry import Registry

pytestmark = pytest.mark.servers
ONE, TWO = "version-" + "1" * 64, "version-" + "2" * 64


@pytest.fixture(scope="module")
def registry(mlflow_server: str) -> Registry:
    """Two registered versions of two models each, and no alias that earlier tests left on this server."""
    registry = Registry(mlflow_server)
    for model in registry.champions():
        registry.remove_champion(model)
    for model in ("watched", "without_pointer"):
        for version in (ONE, TWO):
            run = registry.log_run(model, params={}, metrics={}, tags={"seal": version})
            registry.register(model, version, run)
    return registry


@pytest.fixture
def watch(tmp_path: Path, shelf: Shelf, registry: Registry, keys: dict[str, SigningKey], ring: KeyRing) -> AliasWatch:
    ledger = Ledger(tmp_path / "platform.jsonl", keys["platform"], ring, "platform")
    shelf.set_pointer("champion-watched", {"model": "watched", "version": ONE}, keys["platform"])
    registry.set_champion("watched", ONE)
    return AliasWatch(shelf, ledger, lambda: registry, registry.uri, pause=0.05)


@pytest.mark.attack
def test_an_alias_that_was_moved_by_hand_is_set_back(watch: AliasWatch, registry: Registry) -> None:
    """At the second look; moved, removed, or set for a model that was never promoted."""
    assert watch.look(registry) == []
    for move in (
        lambda: registry.set_champion("watched", TWO),
        lambda: registry.remove_champion("watched"),
        lambda: registry.set_champion("without_pointer", TWO),
    ):
        move()
        assert watch.look(registry) == []
        assert len(watch.look(registry)) == 1
        assert watch.look(registry) == []
        assert registry.champions().get("watched") == ONE
        assert "without_pointer" not in registry.champions()
    entries = [entry.details for entry in watch.ledger.entries() if entry.verb == RESTORED]
    assert [(each["model"], each["alias"], each["champion"]) for each in entries] == [
        ("watched", TWO, ONE),
        ("watched", "", ONE),
        ("without_pointer", TWO, ""),
    ]


def test_a_promotion_that_is_being_carried_out_is_no_alarm(
    watch: AliasWatch, registry: Registry, shelf: Shelf, keys: dict[str, SigningKey]
) -> None:
    """The pointer is set before the alias: a look in between sees them differ once."""
    shelf.set_pointer("champion-watched", {"model": "watched", "version": TWO}, keys["platform"])
    assert watch.look(registry) == []
    registry.set_champion("watched", TWO)
    assert watch.look(registry) == []
    assert [entry for entry in watch.ledger.entries() if entry.verb == RESTORED] == []


def test_the_agent_does_it_by_itself(watch: AliasWatch, registry: Registry) -> None:
    end, moved = threading.Event(), threading.Event()
    thread = threading.Thread(target=watch, args=(end,))
    registry.set_champion("watched", TWO)
    thread.start()
    try:
        for _ in range(600):
            if registry.champion("watched") == ONE:
                break
            moved.wait(0.05)
        assert registry.champion("watched") == ONE
    finally:
        end.set()
        thread.join()


@pytest.mark.attack
def test_a_pointer_that_does_not_verify_moves_nothing_and_hides_no_other(
    watch: AliasWatch, registry: Registry, shelf: Shelf, keys: dict[str, SigningKey]
) -> None:
    """Its own alias stays as it is; another model's is set back all the same."""
    shelf.set_pointer("champion-without_pointer", {"model": "without_pointer", "version": ONE}, keys["service"])
    registry.set_champion("without_pointer", TWO)
    registry.set_champion("watched", TWO)
    assert watch.look(registry) == []
    assert watch.look(registry) == ["watched"]
    assert registry.champions() == {"watched": ONE, "without_pointer": TWO}
    registry.remove_champion("without_pointer")
