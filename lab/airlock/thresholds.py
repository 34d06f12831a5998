"""The thresholds of the airlock (阈值), which are data: a file anyone can read, and the door to ``yaml`` here."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

import yaml

Thresholds = Mapping[str, Any]
HERE = Path(__file__).with_name("thresholds.yaml")


@lru_cache
def load(path: Path = HERE) -> Thresholds:
    """The thresholds of a file, by name."""
    return MappingProxyType(yaml.safe_load(path.read_text(encoding="utf-8")))
