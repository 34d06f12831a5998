"""Recipe (训练配方): the hyperparameters of a booster, chosen by the search or fixed by the order, as plain data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

CHECKPOINT_SHARES = (0.25, 0.5, 1.0)  # of the rounds: where the search evaluates a growing model


@dataclass(frozen=True, slots=True)
class Recipe:
    """The hyperparameters of one booster, or of several that are averaged. Stored in ``version.json`` under these
    names."""

    leaves: int
    rate: float
    rounds: int
    minimum_leaf: int
    seed: int
    shards: int = 1  # the parts that its rows are cut into, one per worker
    l2: float = 1.0
    feature_share: float = 1.0  # of the features, drawn for each tree from the seed
    split_share: float = 1.0  # of those, drawn for each split
    row_share: float = 1.0  # of the rows, drawn for each tree
    beside: tuple[Recipe, ...] = ()  # the recipes of the other boosters of an average; a key of version.json

    @property
    def checkpoints(self) -> tuple[int, ...]:
        """The numbers of rounds after which the search evaluates a growing model."""
        return tuple(sorted({max(1, round(self.rounds * share)) for share in CHECKPOINT_SHARES}))

    @property
    def members(self) -> tuple[Recipe, ...]:
        """The recipes of the boosters that are averaged: this one and those in ``beside``."""
        return (replace(self, beside=()), *self.beside)

    def as_json(self) -> dict[str, Any]:
        """The recipe as plain values; :meth:`of` gives it back."""
        values = {each.name: getattr(self, each.name) for each in fields(self) if each.name != "beside"}
        return values | ({"beside": [each.as_json() for each in self.beside]} if self.beside else {})

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Recipe:
        """Read plain values; a version from before averaging or row sampling has fewer keys, and takes the defaults."""
        return cls(**{**values, "beside": tuple(map(cls.of, values.get("beside", ())))})


def averaged_recipe(recipes: Sequence[Recipe]) -> Recipe:
    """One recipe for the average of ``recipes``, each of which trains one booster."""
    return replace(recipes[0], beside=tuple(recipes[1:]))
