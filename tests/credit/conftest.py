"""A new ledger for each test, and two actors; keys, ring and shelf are the fixtures of all tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from credit.actor import Actor, Role
from credit.keys import KeyRing, SigningKey
from credit.ledger import Ledger


@pytest.fixture
def ledger(tmp_path: Path, keys: dict[str, SigningKey], ring: KeyRing) -> Ledger:
    return Ledger(tmp_path / "ledger.jsonl", keys["platform"], ring)


@pytest.fixture
def alice() -> Actor:
    return Actor("alice", Role.RESEARCHER)


@pytest.fixture
def bob() -> Actor:
    return Actor("bob", Role.PLATFORM)
