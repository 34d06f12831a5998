"""The floors of compute as data: below them a leaf, a cut, an order or a part of the evidence describes too few."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from credit.errors import Malformed

HERE = Path(__file__).with_name("floors.yaml")


@dataclass(frozen=True, slots=True)
class PrivacyFloors:
    """Numbers of subjects, except ``leaf_decimals``, ``evidence_base`` (rows) and ``membership_shadows`` (models)."""

    leaf_subjects: int
    cut_subjects: int
    leaf_decimals: int
    order_subjects: int
    order_defaulted: int
    order_difference: int
    evidence_subjects: int
    evidence_defaulted: int
    evidence_base: int
    membership_shadows: int
    membership_subjects: int

    @classmethod
    def parse(cls, data: Any, name: str = "floors") -> PrivacyFloors:
        """Read plain values; raises :class:`Malformed` unless every floor is there, a positive whole number."""
        known = [each.name for each in fields(cls)]
        right = isinstance(data, Mapping) and set(data) == set(known)
        if not right or not all(type(data[each]) is int and data[each] > 0 for each in known):
            raise Malformed("privacy-floors.not-read", path_name=name, names=", ".join(known))
        return cls(**{each: data[each] for each in known})


@lru_cache(maxsize=4)
def load_floors(path: Path = HERE) -> PrivacyFloors:
    """Read a file of floors; raises :class:`Malformed`."""
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError:
        data = None
    return PrivacyFloors.parse(data, path.name)
