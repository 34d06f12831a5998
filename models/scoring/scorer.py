"""Scorer: all that the service needs of a model version: trees and scorecard, and nothing that can be executed.

The model text is read by :mod:`models.scoring.trees.model_text` and evaluated by our own functions, with the same
bits as
LightGBM; LightGBM itself, which crashes on malformed text, is not used and need not be installed.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from credit.errors import Malformed, Missing
from credit.messages import Text
from models.calibration.maps import steepness
from models.scoring.scorecard import GradeCap, Reason, Scorecard
from models.scoring.scorecard import read as read_scorecard
from models.scoring.trees import walk
from models.scoring.trees.flat_forest import FlatForest, flatten
from models.scoring.trees.model_text import MAXIMUM_BYTES, Forest
from models.scoring.trees.model_text import read as read_forest
from models.scoring.treeshap.exact_reasons import SINGLE_ROWS, TreeShap
from models.scoring.treeshap.simd import WIDTH

Floats = NDArray[np.float64]
AT_ONCE = WIDTH  # number of rows that is cheapest to score together


@dataclass(frozen=True, slots=True)
class Scores:
    """Answers for n subjects of F features: ``base_points + point_contributions.sum(1) == points`` within 1e-9."""

    probability: Floats  # (n,) calibrated default probability
    points: Floats  # (n,) within the scale
    base_points: float  # the points of the mean margin over the training rows
    point_contributions: Floats  # (n, F) exact path-dependent TreeSHAP, in points
    grades: list[str]  # after the rules
    rule_hits: list[tuple[GradeCap, ...]]


@dataclass(frozen=True, slots=True)
class Scorer:
    """A model version, ready to score. Deterministic to the bit: one thread, and one code path for one row and for
    many."""

    card: Scorecard
    forest: Forest
    expected: float  # the mean margin over the training rows, and its points
    base_points: float
    trees: FlatForest = field(repr=False)
    reasons: TreeShap = field(repr=False)

    @classmethod
    def load(cls, folder: Path) -> Scorer:
        """Read ``model.txt`` and ``version.json`` of a folder; raises :class:`Malformed` or :class:`Missing`."""
        for name in ("model.txt", "version.json"):
            if not (folder / name).is_file():
                raise Missing("scorer.version-no", name=name)
            if (folder / name).stat().st_size > MAXIMUM_BYTES:
                raise Malformed("scorer.version-too-large", name=name, maximum_bytes=MAXIMUM_BYTES)
        try:
            text = (folder / "model.txt").read_bytes().decode("ascii")
            data = json.loads((folder / "version.json").read_bytes())
        except (ValueError, RecursionError) as error:
            raise Malformed("scorer.files-version-cannot-be-read", why=Text.verbatim(type(error).__name__)) from error
        return cls.of(text, data)

    @classmethod
    def of(cls, text: str, data: Any) -> Scorer:
        """A scorer of a model text and the content of ``version.json``; raises :class:`Malformed`."""
        if not isinstance(data, dict):
            raise Malformed("scorer.scorecard-version-cannot-be-read")
        card = read_scorecard(data)
        forest = read_forest(text, card.names)
        if any(sign not in (0, f.direction) for sign, f in zip(forest.directions, card.features, strict=True)):
            raise Malformed("scorer.model-trained-with-other-directions")
        trees = flatten(forest)
        expected = walk.expected_margin(trees)
        base = float(card.offset - card.factor * card.calibration.log_odds(np.array([expected]))[0])
        if not card.minimum <= base <= card.maximum:
            raise Malformed("scorer.scale-does-not-fit-model")
        scorer = cls(card, forest, expected, base, trees, TreeShap.of(trees, len(card.names)))
        for rows in (
            1,
            SINGLE_ROWS + 1,
        ):  # so that the kernels are compiled before the first request
            scorer.score(np.zeros((rows, len(card.names))))
        return scorer

    def raw(self, features: Floats) -> Floats:
        """Raw margins (n,) of features (n, F), bit-equal to LightGBM's ``predict(raw_score=True)``."""
        return walk.margins(self.trees, self.rows(features))

    def leaves(self, features: Floats) -> NDArray[np.int64]:
        """The leaf (n, trees) int64 of each of n rows."""
        return walk.leaves(self.trees, self.rows(features))

    def probability(self, raw: Floats) -> Floats:
        """Calibrated default probability (n,) of raw margins (n,)."""
        return _probability(self.card.calibration.log_odds(raw))

    def points(self, raw: Floats) -> Floats:
        """Points (n,) of raw margins (n,), within the scale."""
        return self._points(self.card.calibration.log_odds(raw))

    def score(self, features: Floats) -> Scores:
        """Score features (n, F), NaN where missing; raises :class:`Malformed` for another shape or an infinite value.

        Eight rows together cost little more than four alone, because each tree is evaluated once for all of them.
        """
        rows, card = self.rows(features), self.card
        raw, shares = self.reasons.margins_and_contributions(rows)
        odds, hits = card.calibration.log_odds(raw), card.rule_hits(rows)
        points = self._points(odds)
        return Scores(
            _probability(odds),
            points,
            self.base_points,
            self._contributions(shares, raw, points),
            [card.grades[place] for place in card.grade_index(points, hits).tolist()],
            [tuple(rule for rule, hit in zip(card.rules, row, strict=True) if hit) for row in hits.tolist()],
        )

    def _points(self, odds: Floats) -> Floats:
        card = self.card
        return np.asarray(np.minimum(np.maximum(card.offset - card.factor * odds, card.minimum), card.maximum))

    def explain(self, row: Floats) -> tuple[Reason, ...]:
        """The reasons of one row (F,), the largest first; with the base they sum to the points in hundredths."""
        scores = self.score(np.asarray(row, dtype=np.float64)[None, :])
        return self.card.reasons(scores.base_points, float(scores.points[0]), scores.point_contributions[0])

    def _contributions(self, shares: Floats, raw: Floats, points: Floats) -> Floats:
        """Contributions (n, F) in points, from each feature's share (n, F) of the margin.

        A contribution is exact in the margin. A map that is not a line has no single price per unit of margin, so all
        contributions of a row are converted at the row's own price: (points - base points) / (margin - expected
        margin). They
        sum to the points, keep their signs and their proportions; two rows may have different prices.
        """
        price = steepness(self.card.calibration, self.expected, raw)
        contributions = -self.card.factor * price[:, None] * shares
        # Where points are clipped, all contributions shrink in proportion, so that they still sum to the points.
        total, wanted = contributions.sum(axis=1), points - self.base_points
        beyond = np.abs(total - wanted) > 1e-9
        if beyond.any():
            contributions *= np.divide(wanted, total, out=np.ones_like(total), where=beyond)[:, None]
        return np.asarray(contributions, dtype=np.float64)

    def rows(self, features: Floats) -> Floats:
        """Features (n, F) as float64 for scoring; raises :class:`Malformed` for another shape or an infinite value."""
        rows = np.ascontiguousarray(features, dtype=np.float64)
        if rows.ndim != 2 or rows.shape[1] != len(self.card.features):
            raise Malformed("scorer.these-not-model-features", features_count=len(self.card.features))
        if bool(np.isinf(rows).any()):
            raise Malformed("scorer.feature-infinite")
        return rows


def _probability(odds: Floats) -> Floats:
    small = np.exp(-np.abs(odds))
    return np.asarray(np.where(odds >= 0, 1.0, small) / (1 + small), dtype=np.float64)
