"""A lab of zones for each test."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.credit.requests.zone_lab import ZoneLab


@pytest.fixture
def lab(tmp_path: Path) -> ZoneLab:
    return ZoneLab.make(tmp_path)
