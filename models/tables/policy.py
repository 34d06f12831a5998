"""The policy of tables as data: thresholds of the gate, rounding, and whether a table may leave without a reviewer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from credit.errors import Malformed

SHIPPED = Path(__file__).with_name("policy.yaml")
_FLAGS = ("leaves_without_reviewer", "noise")


@dataclass(frozen=True, slots=True)
class TablePolicy:
    """The values of ``policy.yaml``, which says what each means. Numbers of units, shares, digits and days."""

    units_at_least: int
    quantile_units_at_least: int
    dominance_units: int
    dominance_share_at_most: float
    p_percent_at_least: float
    published_share_at_least: float
    cells_at_most: int
    columns_at_most: int
    count_base: int
    digits: int
    leaves_without_reviewer: bool
    expires_after_days: int
    noise: bool
    noise_epsilon: float
    noise_delta: float
    noise_epsilon_each: float
    noise_epsilon_everyone: float
    noise_days: int
    noise_groups_of_subject: int
    noise_rows_of_subject: int

    @classmethod
    def parse(cls, data: Mapping[str, Any], name: str = "policy") -> TablePolicy:
        """Read plain values; raises :class:`Malformed` for one that is missing, unknown or out of range."""
        known = {each.name: each.type for each in fields(cls)}
        right = set(data) == set(known) and all(
            isinstance(value, bool) == (key in _FLAGS) and isinstance(value, (bool, int, float))
            for key, value in data.items()
        )
        if not right or any(known[key] == "int" and not isinstance(value, int) for key, value in data.items()):
            raise Malformed("tables.policy", path_name=name)
        policy = cls(**data)
        if policy.units_at_least < 3 or policy.count_base < 1 or not 1 <= policy.digits <= 10:
            raise Malformed("tables.policy", path_name=name)
        if min(value for key, value in data.items() if key.startswith("noise_")) <= 0 or policy.noise_delta >= 1:
            raise Malformed("tables.policy", path_name=name)
        return policy

    @property
    def thresholds(self) -> dict[str, float]:
        """What a verdict prints."""
        return {each.name: getattr(self, each.name) for each in fields(self)}


@lru_cache(maxsize=4)
def load_table_policy(path: Path = SHIPPED) -> TablePolicy:
    """Read a policy file; raises :class:`Malformed`."""
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, OSError, UnicodeDecodeError) as error:
        raise Malformed("tables.policy", path_name=path.name) from error
    if not isinstance(data, Mapping):
        raise Malformed("tables.policy", path_name=path.name)
    return TablePolicy.parse(data, path.name)
