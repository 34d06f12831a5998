"""A version of the shelf, as the airlock reads it (封存模型): what compute sealed, nothing that was submitted."""

from __future__ import annotations

from dataclasses import dataclass

from lab.airlock.kinds.models.model_copy import ModelFigures


@dataclass(frozen=True, slots=True)
class SealedModel:
    """A version: its ``text``, the names of its ``features`` (F,), its ``sql``, and the ``subjects`` of each leaf.

    ``subjects`` are by tree and leaf as compute counted them. ``of_project`` is True when the project that asks ordered
    it, ``in_production`` when the platform's pointer names it.
    """

    version: str
    text: str
    features: tuple[str, ...]
    sql: str
    subjects: tuple[tuple[int, ...], ...]
    figures: ModelFigures
    of_project: bool
    in_production: bool
