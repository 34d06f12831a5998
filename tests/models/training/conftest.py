"""A small release, an order over it, and the version that a real cluster trains of it once."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path

import pytest

from credit.keys import KeyRing, SigningKey
from credit.ledger import Ledger
from credit.shelf import OpenedSeal, Shelf
from models.distributed.ray_cluster import Tasks
from models.registry.mlflow_registry import Registry
from models.training.pipeline import train
from tests.models import invented_release as made

Keys = Mapping[str, SigningKey]
TODAY = date(2026, 3, 15)


@pytest.fixture(scope="package")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("place")


@pytest.fixture(scope="package")
def shelf(place: Path, ring: KeyRing) -> Shelf:
    return Shelf(place / "shelf", ring)


@pytest.fixture(scope="package")
def ledger(place: Path, keys: Keys, ring: KeyRing) -> Ledger:
    return Ledger(place / "ledger.jsonl", keys["compute"], ring)


@pytest.fixture(scope="package")
def registry(mlflow_server: str) -> Registry:
    return Registry(mlflow_server)


@pytest.fixture(scope="package")
def release(shelf: Shelf, keys: Keys) -> OpenedSeal:
    return made.release(shelf, keys["custody"])


@pytest.fixture(scope="package")
def order(shelf: Shelf, keys: Keys, release: OpenedSeal) -> OpenedSeal:
    return made.order(shelf, keys["research"], release, model="trained_in_a_test")


@pytest.fixture(scope="package")
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
