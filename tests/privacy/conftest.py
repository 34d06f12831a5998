"""A small custody zone as a fixture."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.privacy.small_custody import House, empty_house


@pytest.fixture
def house(tmp_path: Path) -> House:
    """A custody zone without data."""
    return empty_house(tmp_path)
