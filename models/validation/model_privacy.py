"""What a model discloses about the subjects it was trained on, measured: its leaves, and membership inference."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from models.boosting.recipe import Recipe
from models.dataset.matrix import TrainingRows
from models.distributed.ray_cluster import Tasks
from models.privacy.floors import load_floors
from models.privacy.leaf_recount import LeafRecount, recount_leaves
from models.scoring.trees.model_text import Forest
from models.validation.membership import measure_membership


@dataclass(frozen=True, slots=True)
class ModelPrivacy:
    """The recount of a model's leaves, and the figures of membership inference against its recipe."""

    leaves: LeafRecount
    membership: dict[str, Any]

    def as_evidence(self) -> dict[str, Any]:
        """``leaves {leaves, smallest, all_defaulted}, membership {…}``: what stands in the evidence and in the card."""
        return {"leaves": self.leaves.summary(), "membership": self.membership}


def measure_privacy(
    rows: TrainingRows,
    forest: Forest,
    recipe: Recipe,
    tasks: Tasks,
    progress: Callable[[int, int], None] | None = None,
) -> ModelPrivacy:
    """Measure a forest made by ``recipe`` from coarsened ``rows``; ``progress`` counts the shadow models."""
    leaves = recount_leaves(forest, rows.features, rows.labels, rows.units)
    return ModelPrivacy(leaves, measure_membership(rows, recipe, tasks, load_floors(), progress))
