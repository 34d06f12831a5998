"""A shelf, a ledger and keys made afresh for each test."""

from __future__ import annotations

from pathlib import Path

import pytest

from credit.actor import Actor, Role
from credit.keys import KeyRing, SigningKey
from credit.ledger import Ledger
from credit.shelf import Shelf

ZONES = ("custody", "research", "compute", "platform", "service")


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> dict[str, SigningKey]:
    folder = tmp_path_factory.mktemp("keys")
    return {zone: SigningKey.create(folder, zone) for zone in ZONES}


@pytest.fixture
def ring(keys: dict[str, SigningKey]) -> KeyRing:
    return KeyRing.of(*keys.values())


@pytest.fixture
def shelf(tmp_path: Path, ring: KeyRing) -> Shelf:
    return Shelf(tmp_path / "shelf", ring)


@pytest.fixture
def ledger(tmp_path: Path, keys: dict[str, SigningKey], ring: KeyRing) -> Ledger:
    return Ledger(tmp_path / "ledger.jsonl", keys["platform"], ring)


@pytest.fixture
def alice() -> Actor:
    return Actor("alice", Role.RESEARCHER)


@pytest.fixture
def bob() -> Actor:
    return Actor("bob", Role.PLATFORM)
