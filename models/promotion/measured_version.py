"""What the promotion gate judges: a version, measured again, beside the champion on the same rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from credit.messages import Text
from models.boosting.recipe import Recipe
from models.scoring.scorer import Scorer
from models.validation.holdout import HoldoutScores

if TYPE_CHECKING:
    from models.dataset.sample import Sample


@dataclass(frozen=True, slots=True)
class ChampionComparison:
    """The current champion: its id, and its raw margins (n,) on the holdout rows of the candidate, or why there are
    none. ``changes`` is what changes for subjects (:mod:`models.promotion.subject_changes`)."""

    version: str
    raw: NDArray[np.float64] | None
    why_not: Text | None = None
    changes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PromotionCase:
    """A version before the gate, measured again from its order's release."""

    version: str
    text: str
    recipe: Recipe
    scorer: Scorer
    sample: Sample
    holdout: HoldoutScores
    evidence: Mapping[str, Any]
    champion: ChampionComparison | None
