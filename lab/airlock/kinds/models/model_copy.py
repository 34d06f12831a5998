"""The model of a model that leaves (出域模型): the copy's text, what its page says of it, and where it is looked up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from credit.canonical import digest
from lab.airlock.issue import Issue
from lab.airlock.thresholds import Thresholds


@dataclass(frozen=True, slots=True)
class ModelFigures:
    """What compute measured; None where it measured nothing. Rates are the members found at 1 % false positives."""

    auc: float | None = None
    auc_low: float | None = None
    auc_high: float | None = None
    membership_all: float | None = None
    membership_defaulted: float | None = None


@dataclass(frozen=True, slots=True)
class ChosenBits:
    """Bits that an author chose in names and in values, and examples of what was charged."""

    names: float
    values: float
    examples: tuple[str, ...]

    @property
    def total(self) -> float:
        """All bits."""
        return self.names + self.values


@dataclass(frozen=True, slots=True)
class CopiedFeature:
    """A feature of a copy: how many splits use it, and its lowest and highest cut."""

    name: str
    splits: int
    lowest: float
    highest: float


@dataclass(frozen=True, slots=True)
class ModelCopy:
    """The ``text`` that leaves of a ``version``, and what is known of it. ``smallest_leaf`` counts subjects."""

    version: str
    text: str
    features: tuple[CopiedFeature, ...]
    sql: tuple[str, ...]
    trees: int
    leaves: int
    smallest_leaf: int
    smallest_rows: int
    digits: tuple[int, int]  # decimals of a leaf's value, significant digits of a cut
    figures: ModelFigures
    chosen: ChosenBits
    of_project: bool
    in_production: bool

    @property
    def id(self) -> str:
        """The id of the copy, ``copy-<64 hex>``: the digest of its text."""
        return f"copy-{digest(self.text.encode())}"

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the features."""
        return tuple(feature.name for feature in self.features)


class ModelShelf(Protocol):
    """Where models are looked up. A kernel has none, so this module needs nothing of what trees are made of."""

    def find(self, name: str, t: Thresholds) -> ModelCopy | Issue:
        """The copy of the valid version with this id, or of the one that this order made; else the issue with it."""
        ...
