"""Recipe (训练配方): the hyperparameters of a booster, chosen by the search or fixed by the order, as plain data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

CHECKPOINT_SHARES = (0.25, 0.5, 1.0)  # of the rounds: where the search looks at a growing model


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a booster is grown: what the search chooses, and what the order fixes (seed and shards)."""

    leaves: int
    rate: float
    rounds: int
    minimum_leaf: int
    seed: int
    shards: int = 1  # the parts its rows are cut into, each for a worker of its own
    l2: float = 1.0
    feature_share: float = 1.0  # of the features, drawn anew for each tree from the seed
    split_share: float = 1.0  # of those, drawn anew for each split
    row_share: float = 1.0  # of the rows, drawn anew for each tree
    beside: tuple[Recipe, ...] = ()  # whose boosters are averaged with this one's

    @property
    def checkpoints(self) -> tuple[int, ...]:
        """The rounds at which a growing model is looked at."""
        return tuple(sorted({max(1, round(self.rounds * share)) for share in CHECKPOINT_SHARES}))

    @property
    def members(self) -> tuple[Recipe, ...]:
        """The recipes of the boosters that are averaged, each by itself: this one and those beside it."""
        return (replace(self, beside=()), *self.beside)

    def as_json(self) -> dict[str, Any]:
        """The recipe as plain values; :meth:`of` gives it back."""
        values = {each.name: getattr(self, each.name) for each in fields(self) if each.name != "beside"}
        return values | ({"beside": [each.as_json() for each in self.beside]} if self.beside else {})

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Recipe:
        """Read plain values, those of versions before there were shares of rows or averages as well."""
        return cls(**{**values, "beside": tuple(map(cls.of, values.get("beside", ())))})


def averaged_recipe(recipes: Sequence[Recipe]) -> Recipe:
    """The recipe of the average of these, each of one booster."""
    return replace(recipes[0], beside=tuple(recipes[1:]))
