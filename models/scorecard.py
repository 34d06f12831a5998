"""Scorecard (评分卡): the words and numbers around the trees, read from ``version.json``. Pure data, no model.

Probability: by the log-odds that the calibration map gives a raw margin. Points: ``offset - factor * log_odds``, where
the scale says ``points`` at good:bad ``odds`` and ``double_odds`` points more for twice the odds, so ``factor =
double_odds / ln 2`` and ``offset = points - factor * ln(odds)`` (Siddiqi, Credit Risk Scorecards, 2006, chapter 6).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from credit.errors import Malformed
from models.calibration_map import CalibrationMap
from models.calibration_map import read as read_calibration

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Feature:
    """One feature as declared: ``direction`` +1 means a larger value may only raise the default probability."""

    name: str
    title: str
    direction: int
    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class Rule:
    """A direct judgment (直接判级) or a cap: feature ``index`` at ``at_least`` or more is no better than ``grade``."""

    index: int
    feature: str
    at_least: float
    grade: str
    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class Reason:
    """What one feature added to the points (two decimals; negative took away)."""

    feature: str
    title: str
    zh: str
    en: str
    points: float


@dataclass(frozen=True, slots=True)
class Scorecard:
    """Everything of a version but its trees."""

    model: str
    features: tuple[Feature, ...]
    calibration: CalibrationMap
    factor: float
    offset: float
    minimum: float
    maximum: float
    grades: tuple[str, ...]  # from best to worst
    cuts: tuple[float, ...]  # the least points of each
    rules: tuple[Rule, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The features' names, in the order of the columns."""
        return tuple(feature.name for feature in self.features)

    def grade_index(self, points: Floats, hits: NDArray[np.bool_]) -> NDArray[np.int8]:
        """The grade's place (n,) in ``grades``: by points, then no better than each rule that hit (n, R) allows."""
        reached = np.asarray(points)[:, None] >= np.array(self.cuts)[None, :]
        place = np.where(reached.any(axis=1), reached.argmax(axis=1), len(self.grades) - 1)
        for number, rule in enumerate(self.rules):
            place = np.where(hits[:, number], np.maximum(place, self.grades.index(rule.grade)), place)
        return np.asarray(place, dtype=np.int8)

    def rule_hits(self, features: Floats) -> NDArray[np.bool_]:
        """Which rules hit (n, R); a missing value hits none."""
        if not self.rules:
            return np.zeros((len(features), 0), dtype=np.bool_)
        return np.column_stack([features[:, rule.index] >= rule.at_least for rule in self.rules])

    def reasons(self, base_points: float, points: float, contributions: Floats) -> tuple[Reason, ...]:
        """Contributions (F,) as reasons in whole hundredths that sum exactly: base + reasons == points, each rounded.

        Largest remainder method. The strongest first.
        """
        exact = np.asarray(contributions, dtype=np.float64) * 100
        whole = np.floor(exact)
        left = round(points * 100) - round(base_points * 100) - int(whole.sum())
        order = np.argsort(whole - exact, kind="stable")  # the largest remainder first
        turns, rest = divmod(left, len(order))
        hundredths = (whole + turns).astype(np.int64)
        hundredths[order[:rest]] += 1
        strongest = np.argsort(-np.abs(hundredths), kind="stable")
        named = ((self.features[i], int(hundredths[i])) for i in strongest)
        return tuple(Reason(f.name, f.title, f.zh, f.en, cents / 100) for f, cents in named)


def read(told: Mapping[str, Any]) -> Scorecard:
    """Read the content of ``version.json``; raises :class:`Malformed` unless it is whole and makes sense."""
    try:
        features = tuple(
            Feature(f["name"], f["title"], int(f["direction"]), f["reason"]["zh"], f["reason"]["en"])
            for f in told["features"]
        )
        names = [feature.name for feature in features]
        rules = tuple(
            Rule(names.index(name), name, float(r["at_least"]), r["grade"], r["reason"]["zh"], r["reason"]["en"])
            for r in told["rules"]
            for name in (r["feature"],)
        )
        scale = {name: float(told["scale"][name]) for name in ("points", "odds", "double_odds", "minimum", "maximum")}
        grades, cuts = zip(*((str(name), float(cut)) for name, cut in told["grades"]), strict=True)
        factor = scale["double_odds"] / math.log(2)
        card = Scorecard(
            told["model"],
            features,
            read_calibration(told["calibration"]),
            factor,
            scale["points"] - factor * math.log(scale["odds"]),
            scale["minimum"],
            scale["maximum"],
            grades,
            cuts,
            rules,
        )
    except (KeyError, TypeError, ValueError) as error:
        raise Malformed("The scorecard of a version cannot be read", why=f"{type(error).__name__}: {error}") from error
    _require(card, names)
    return card


def _require(card: Scorecard, names: Sequence[str]) -> None:
    numbers = (card.factor, card.offset, *card.cuts, *(r.at_least for r in card.rules))
    wrong = {
        "a number is not finite": not all(map(math.isfinite, numbers)),
        "a higher probability must mean fewer points": card.factor <= 0,
        "the scale has no room": not card.minimum < card.maximum,
        "grades go from best to worst": list(card.cuts) != sorted(card.cuts, reverse=True),
        "a grade is named twice": len(set(card.grades)) != len(card.grades),
        "a feature is named twice": not names or len(set(names)) != len(names),
        "a direction is -1, 0 or 1": any(f.direction not in (-1, 0, 1) for f in card.features),
        "a rule names a grade there is not": any(r.grade not in card.grades for r in card.rules),
    }
    for why, is_so in wrong.items():
        if is_so:
            raise Malformed("The scorecard of a version makes no sense", why=why)
