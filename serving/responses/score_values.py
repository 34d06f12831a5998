"""The numbers of answers: those that a snapshot stores of one subject, and those that a model computes for several
rows.

The trees are evaluated once for all rows of a call.
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
    """The numbers of one subject as an answer gives them; a column stands for a feature."""

    probability: float
    points: float
    base_points: float
    grade: str
    rules: tuple[GradeCap, ...]
    cents: list[int]  # (F,) each feature's points in hundredths
    strongest: list[int]  # (F,) columns, those of the most points first
    missing: list[int]  # columns


def scored_values(scorer: Scorer, features: NDArray[np.float64]) -> list[ScoreValues]:
    """The values of features (n, F), for each row the same as for that row alone; cheapest from eight rows on.

    Raises Malformed for an infinite feature, Broken when the model's own numbers do not sum.
    """
    scores = scorer.score(features)
    base, points, contributions = scores.base_points, scores.points, scores.point_contributions
    if not (np.abs(base + contributions.sum(axis=1) - points) < 1e-6).all():
        raise Broken("score-values.model-contributions-do-not-sum")
    cents, strongest = hundredths(base, points, contributions)
    is_missing = np.isnan(features)
    missing = [np.flatnonzero(row).tolist() for row in is_missing] if is_missing.any() else [[]] * len(features)
    rows = zip(scores.probability.tolist(), points.tolist(), scores.grades, scores.rule_hits, cents.tolist(),
               strongest.tolist(), missing, strict=True)  # fmt: skip
    return [ScoreValues(p, s, base, grade, rules, c, order, m) for p, s, grade, rules, c, order, m in rows]


def stored_values(snapshot: ActiveSnapshot, row: int) -> ScoreValues:
    """The values that the snapshot stores in `row`. Raises Broken when they do not sum or name an unknown grade."""
    score, scorecard = stored_score(snapshot, row), snapshot.scorecard
    base, points, contributions = score.base_points, np.array([score.points]), score.contributions[None]
    if not abs(base + float(contributions.sum()) - score.points) < 1e-6:
        raise Broken("score-values.snapshot-contributions-do-not-sum", snapshot=snapshot.snapshot[:21])
    cents, strongest = hundredths(base, points, contributions)
    hits = scorecard.rule_hits(score.features[None])[0].tolist()
    rules = tuple(rule for rule, hit in zip(scorecard.rules, hits, strict=True) if hit)
    missing = np.flatnonzero(np.isnan(score.features)).tolist()
    return ScoreValues(
        score.probability, score.points, base, score.grade, rules, cents[0].tolist(), strongest[0].tolist(), missing
    )
