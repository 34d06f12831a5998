"""One house a test."""

from __future__ import annotations

from pathlib import Path

import pytest

from credit.keys import KeyRing, SigningKey
from tests.lab.airlock.review_zone import House, build


@pytest.fixture
def house(tmp_path: Path, keys: dict[str, SigningKey], ring: KeyRing) -> House:
    return build(tmp_path / "research", keys, ring)
