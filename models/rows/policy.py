"""The policy of rows as data: the size of groups, which labels may be released, and the gate's thresholds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from credit.errors import Malformed
from models.lineage.exposure import Exposure
from models.rows.request import LABELS

HERE = Path(__file__).with_name("policy.yaml")


@dataclass(frozen=True, slots=True)
class RowsPolicy:
    """``k`` and ``market_k`` in subjects, ``expires_after_days`` in days; ``thresholds`` are those of the gate."""

    k: int
    market_k: int
    on_request: Exposure
    labels: tuple[str, ...]
    population: int  # the least number of subjects of a release
    expires_after_days: int
    attacked: int  # how many subjects the attack is tried on, at most
    partners: Mapping[str, str]  # market tables in which a trading partner stands, and its column
    thresholds: Mapping[str, float]

    @classmethod
    def parse(cls, data: Mapping[str, Any], name: str = "policy") -> RowsPolicy:
        """Read plain values; raises :class:`Malformed` with the cause."""
        try:
            policy = cls(
                int(data["k"]),
                int(data["market_k"]),
                Exposure(data["on_request"]),
                tuple(str(label) for label in data["labels"]),
                int(data["population"]),
                int(data["expires_after_days"]),
                int(data["attacked"]),
                {str(table): str(column) for table, column in data["partners"].items()},
                {str(key): float(value) for key, value in data["thresholds"].items()},
            )
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise Malformed("rows.policy", path_name=name, error_name=type(error).__name__) from error
        if min(policy.k, policy.market_k) < 2 or policy.population < policy.k or set(policy.labels) - set(LABELS):
            raise Malformed("rows.policy", path_name=name, error_name="ValueError")
        return policy


@lru_cache(maxsize=4)
def load_policy(path: Path = HERE) -> RowsPolicy:
    """Read a policy file; raises :class:`Malformed`."""
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise Malformed("rows.policy", path_name=path.name, error_name=type(error).__name__) from error
    if not isinstance(data, Mapping):
        raise Malformed("rows.policy", path_name=path.name, error_name="TypeError")
    return RowsPolicy.parse(data, path.name)
