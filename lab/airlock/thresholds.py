"""The thresholds of the airlock (阈值), read from a YAML file; each verdict prints them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

import yaml

Thresholds = Mapping[str, Any]
DEFAULT_FILE = Path(__file__).with_name("thresholds.yaml")


@lru_cache
def load(path: Path = DEFAULT_FILE) -> Thresholds:
    """The thresholds in a file, by name; the file is read once per process."""
    return MappingProxyType(yaml.safe_load(path.read_text(encoding="utf-8")))
