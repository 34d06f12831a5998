"""One research zone per test."""

from __future__ import annotations

from pathlib import Path

import pytest

from credit.keys import KeyRing, SigningKey
from tests.lab.airlock.review_zone import ReviewZone, build


@pytest.fixture
def zone(tmp_path: Path, keys: dict[str, SigningKey], ring: KeyRing) -> ReviewZone:
    return build(tmp_path / "research", keys, ring)
