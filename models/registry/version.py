"""A model version (模型版本), a folder without code: trees as text, scorecard as JSON, golden rows, evidence, model
card, and the subjects of every leaf.

It contains no time of day and no duration: the same order gives the same folder, to the byte.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from credit.errors import Broken
from credit.messages import Text
from models.boosting.recipe import Recipe
from models.calibration.maps import CalibrationMap
from models.registry.model_card import model_card
from models.scoring import golden
from models.scoring.scorer import Scorer

LEAVES = "leaves.json"
FILES = ("model.txt", "version.json", "features.sql", "golden.json", "evidence.json", "card.md", LEAVES)
FORMAT = 1
_DECLARED = ("model", "title", "subject_kind", "features", "scale", "grades", "rules")


@dataclass(frozen=True, slots=True)
class TrainingOutcome:
    """How a version was made: its recipe, its calibration map, and the recipes that were compared."""

    recipe: Recipe
    calibration: CalibrationMap
    compared: tuple[Mapping[str, Any], ...]


def version_json(
    declaration: Mapping[str, Any], outcome: TrainingOutcome, *, order: str, release: str
) -> dict[str, Any]:
    """The content of ``version.json``, from an order's declaration (``Order.as_json()``)."""
    return {
        "form": FORMAT,
        **{name: declaration[name] for name in _DECLARED},
        "calibration": outcome.calibration.as_json(),
        "training": {"recipe": outcome.recipe.as_json(), "compared": list(outcome.compared)},
        "order": order,
        "release": release,
    }


def write_version(
    folder: Path,
    *,
    text: str,
    scorecard: Mapping[str, Any],
    sql: str,
    features: NDArray[np.float64],
    evidence: Mapping[str, Any],
    leaves: Mapping[str, Any],
) -> None:
    """Write the seven files of a version into ``folder`` and check its golden rows; raises :class:`Broken` when they
    differ."""
    (folder / "model.txt").write_text(text, encoding="ascii")
    (folder / "features.sql").write_text(sql, encoding="utf-8")
    (folder / "card.md").write_text(model_card(scorecard, evidence), encoding="utf-8")
    _write_json(folder / "version.json", scorecard)
    _write_json(folder / "evidence.json", evidence)
    _write_json(folder / LEAVES, leaves)
    rows = golden.golden_content(Scorer.load(folder), features, seed=int(scorecard["training"]["recipe"]["seed"]))
    _write_json(folder / "golden.json", rows)
    golden.check_golden(folder)


def read_recipe(folder: Path) -> Recipe:
    """The recipe of a version; raises :class:`Broken` when the version does not contain it."""
    try:
        return Recipe.of(json.loads((folder / "version.json").read_bytes())["training"]["recipe"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Broken("version.version-does-not-say-how", why=Text.verbatim(type(error).__name__)) from error


def read_evidence(folder: Path) -> dict[str, Any]:
    """The evidence that the maker of a version recorded."""
    evidence: dict[str, Any] = json.loads((folder / "evidence.json").read_bytes())
    return evidence


def _write_json(path: Path, value: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True, allow_nan=False) + "\n", "utf-8")
