"""The error for a missing or unreadable setting has the name of the setting and never its value."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest

from credit.errors import Malformed
from credit.settings import read


@dataclass(frozen=True)
class Zone:
    shelf: Path
    workers: int = 2
    today: date | None = None


def test_settings_are_read_by_type() -> None:
    zone = read(Zone, {"HAIHE_X_SHELF": "/s", "HAIHE_X_TODAY": "2026-11-01"}, "HAIHE_X_")
    assert zone == Zone(Path("/s"), 2, date(2026, 11, 1))


def test_a_missing_one_names_itself() -> None:
    with pytest.raises(Malformed, match="HAIHE_X_SHELF is missing"):
        read(Zone, {}, "HAIHE_X_")


def test_an_unreadable_one_names_itself_without_its_value() -> None:
    with pytest.raises(Malformed, match="HAIHE_X_WORKERS") as caught:
        read(Zone, {"HAIHE_X_SHELF": "/s", "HAIHE_X_WORKERS": "secret"}, "HAIHE_X_")
    assert "secret" not in str(caught.value)
