"""The numbers of answers: what a snapshot holds of one subject, and what a model says of several in the request.

The trees are walked once for all who ask at one moment.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from credit.errors import Broken
from models.scoring.scorecard import GradeCap, hundredths
from models.scoring.scorer import Scorer
from serving.data.snapshot import ActiveSnapshot
from serving.responses.compose import stored_score


class ScoreValues(NamedTuple):
    """What a model says of one subject, as an answer tells it; columns stand for features."""

    probability: float
    points: float
    base_points: float
    grade: str
    rules: tuple[GradeCap, ...]
    cents: list[int]  # (F,) each feature's points in hundredths
    strongest: list[int]  # (F,) columns, those of the most points first
    missing: list[int]  # columns


def scored_values(scorer: Scorer, features: NDArray[np.float64]) -> list[ScoreValues]:
    """What the scorer says of features (n, F), the same of each row as of it alone, and cheapest from eight rows on.

    Raises Malformed for an infinite feature, Broken when the model's own numbers do not sum.
    """
    scores = scorer.score(features)
    base, points, contributions = scores.base_points, scores.points, scores.point_contributions
    if not (np.abs(base + contributions.sum(axis=1) - points) < 1e-6).all():
        raise Broken("score-values.model-contributions-do-not-sum")
    cents, strongest = hundredths(base, points, contributions)
    lacking = np.isnan(features)
    missing = [np.flatnonzero(row).tolist() for row in lacking] if lacking.any() else [[]] * len(features)
    each = zip(scores.probability.tolist(), points.tolist(), scores.grades, scores.rule_hits, cents.tolist(),
               strongest.tolist(), missing, strict=True)  # fmt: skip
    return [ScoreValues(p, s, base, grade, rules, c, order, m) for p, s, grade, rules, c, order, m in each]


def stored_values(book: ActiveSnapshot, row: int) -> ScoreValues:
    """What the snapshot holds of the subject in `row`. Raises Broken when its numbers do not sum, or name no grade."""
    line, card = stored_score(book, row), book.card
    base, points, contributions = line.base_points, np.array([line.points]), line.contributions[None]
    if not abs(base + float(contributions.sum()) - line.points) < 1e-6:
        raise Broken("score-values.snapshot-contributions-do-not-sum", snapshot=book.snapshot[:21])
    cents, strongest = hundredths(base, points, contributions)
    hits = card.rule_hits(line.features[None])[0].tolist()
    rules = tuple(rule for rule, hit in zip(card.rules, hits, strict=True) if hit)
    missing = np.flatnonzero(np.isnan(line.features)).tolist()
    return ScoreValues(
        line.probability, line.points, base, line.grade, rules, cents[0].tolist(), strongest[0].tolist(), missing
    )
