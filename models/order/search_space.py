"""Search space (搜索空间) of an order: the bounds within which the search chooses hyperparameters, as data.

The default bounds suit credit data of some ten thousand rows: few leaves and a low learning rate. The least rows in a
leaf are never below the order's own ``training.minimum_leaf``, which is a privacy bound: a lower bound is raised to it.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

from credit.messages import Text
from models.order.parsing import DeclarationSection

Whole = tuple[int, int]
Real = tuple[float, float]


@dataclass(frozen=True, slots=True)
class SearchSpace:
    """Each field is a pair, minimum and maximum, both included. An equal pair fixes the hyperparameter."""

    leaves: Whole = (2, 16)  # leaves a tree
    rate: Real = (0.03, 0.1)  # learning rate
    rounds: Whole = (100, 300)  # trees of a model; a shorter one may be selected, at a checkpoint
    minimum_leaf: Whole = (40, 160)  # rows in a leaf
    l2: Real = (2.0, 30.0)  # LightGBM's lambda_l2
    feature_share: Real = (0.3, 1.0)  # of the features, drawn for each tree
    split_share: Real = (0.3, 0.8)  # of those, drawn for each split
    row_share: Real = (0.6, 1.0)  # of the rows, drawn for each tree


LIMITS = SearchSpace(
    (2, 1024), (0.001, 1.0), (1, 10_000), (1, 1_000_000), (1e-6, 1e6), (0.01, 1.0), (0.01, 1.0), (0.1, 1.0)
)


def default_space(minimum_leaf: int) -> SearchSpace:
    """The search space of an order that declares none."""
    return replace(SearchSpace(), minimum_leaf=(minimum_leaf, 4 * minimum_leaf))


def read_space(section: DeclarationSection, minimum_leaf: int) -> SearchSpace:
    """The section ``training.space``; raises :class:`~credit.errors.Malformed` naming the bound that is not valid."""
    given: dict[str, Any] = {}
    for bound in fields(SearchSpace):
        if bound.name in section.data:
            given[bound.name] = _pair(section, bound.name, *getattr(LIMITS, bound.name))
    low, high = given.get("minimum_leaf", default_space(minimum_leaf).minimum_leaf)
    return replace(SearchSpace(), **given | {"minimum_leaf": (max(low, minimum_leaf), max(high, minimum_leaf))})


def _pair(section: DeclarationSection, key: str, minimum: float, maximum: float) -> tuple[float, float]:
    is_integer = isinstance(minimum, int)
    items, kinds = section.items(key), (int,) if is_integer else (int, float)
    is_valid = len(items) == 2 and all(isinstance(item, kinds) and not isinstance(item, bool) for item in items)
    id = "parsing.pair-of-whole-numbers" if is_integer else "parsing.pair-of-numbers"
    section.require(
        key, is_valid and minimum <= items[0] <= items[1] <= maximum, Text.of(id, least=minimum, most=maximum)
    )
    low, high = items
    return (low, high) if is_integer else (float(low), float(high))
