"""Scorecard (评分卡): everything of a version around its trees, read from ``version.json`` as plain data.

The probability follows from the log-odds that the calibration map gives a raw margin. Points are
``offset - factor * log_odds``. The scale has ``points`` at good:bad ``odds`` and ``double_odds`` more for twice the
odds,
so ``factor = double_odds / ln 2`` and ``offset = points - factor * ln(odds)`` (Siddiqi, Credit Risk Scorecards,
2006, chapter 6).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from credit.errors import Malformed
from credit.messages import Text
from models.calibration.maps import CalibrationMap
from models.calibration.maps import read as read_calibration

Floats = NDArray[np.float64]
Wholes = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class ScorecardFeature:
    """One feature as declared: ``direction`` +1 means a larger value may only raise the default probability."""

    name: str
    title: str
    direction: int
    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class GradeCap:
    """A grade cap (直接判级): a subject whose feature ``index`` is ``at_least`` this value has no better grade than
    ``grade``."""

    index: int
    feature: str
    at_least: float
    grade: str
    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class Reason:
    """The points that one feature added (two decimals; negative: took away)."""

    feature: str
    title: str
    zh: str
    en: str
    points: float


@dataclass(frozen=True, slots=True)
class Scorecard:
    """Everything of a version except its trees."""

    model: str
    features: tuple[ScorecardFeature, ...]
    calibration: CalibrationMap
    factor: float
    offset: float
    minimum: float
    maximum: float
    grades: tuple[str, ...]  # from best to worst
    cuts: tuple[float, ...]  # the lowest points of each
    rules: tuple[GradeCap, ...]
    names: tuple[str, ...] = field(
        init=False, repr=False, compare=False
    )  # of the features, in the order of the columns
    ascending_cuts: Floats = field(init=False, repr=False, compare=False)  # the cuts, ascending
    cap_arrays: tuple[NDArray[Any], ...] = field(
        init=False, repr=False, compare=False
    )  # (3, R) column, threshold, best grade allowed

    def __post_init__(self) -> None:
        worst = [self.grades.index(rule.grade) if rule.grade in self.grades else 0 for rule in self.rules]
        cap_arrays = np.array([r.index for r in self.rules], dtype=np.intp), np.array([r.at_least for r in self.rules])
        object.__setattr__(self, "names", tuple(feature.name for feature in self.features))
        object.__setattr__(self, "ascending_cuts", np.array(self.cuts[::-1], dtype=np.float64))
        object.__setattr__(self, "cap_arrays", (*cap_arrays, np.array(worst, dtype=np.intp)))

    def grade_index(self, points: Floats, hits: NDArray[np.bool_]) -> NDArray[np.int8]:
        """The index (n,) int8 into ``grades``: by points (n,), then lowered to the cap of each rule that applied (n,
        R)."""
        worst = len(self.grades) - 1
        place = np.minimum(worst + 1 - np.searchsorted(self.ascending_cuts, points, side="right"), worst)
        if self.rules:
            place = np.maximum(place, np.where(hits, self.cap_arrays[2], 0).max(axis=1))
        return np.asarray(place, dtype=np.int8)

    def rule_hits(self, features: Floats) -> NDArray[np.bool_]:
        """Which rules apply (n, R); a missing value meets no rule."""
        if not self.rules:
            return np.zeros((len(features), 0), dtype=np.bool_)
        return np.asarray(features[:, self.cap_arrays[0]] >= self.cap_arrays[1], dtype=np.bool_)

    def reasons(self, base_points: float, points: float, contributions: Floats) -> tuple[Reason, ...]:
        """Contributions (F,) as reasons in whole hundredths, the largest first: base + reasons == points, each
        rounded."""
        cents, strongest = hundredths(base_points, np.array([points]), np.asarray(contributions)[None, :])
        named = ((self.features[i], int(cents[0, i])) for i in strongest[0].tolist())
        return tuple(Reason(f.name, f.title, f.zh, f.en, each / 100) for f, each in named)


def hundredths(
    base_points: float, points: Floats, contributions: Floats
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Contributions (n, F) in whole hundredths (n, F) int64, and the order of columns (n, F), the largest first.

    Each row sums to its points in hundredths minus the base's, by the largest remainder method.
    """
    exact = np.asarray(contributions, dtype=np.float64) * 100
    whole = np.floor(exact)
    remainder = np.rint(points * 100) - round(base_points * 100) - whole.sum(axis=1)
    order = np.argsort(whole - exact, axis=1, kind="stable")  # the largest remainder first
    cents = whole.astype(np.int64)
    for row, rest in enumerate(remainder.tolist()):
        whole_rounds, rest = divmod(int(rest), exact.shape[1])
        if whole_rounds:
            cents[row] += whole_rounds
        cents[row, order[row, :rest]] += 1
    return cents, np.argsort(-np.abs(cents), axis=1, kind="stable")


def read(data: Mapping[str, Any]) -> Scorecard:
    """Read the content of ``version.json``; raises :class:`Malformed` unless it is complete and consistent."""
    try:
        features = tuple(
            ScorecardFeature(f["name"], f["title"], int(f["direction"]), f["reason"]["zh"], f["reason"]["en"])
            for f in data["features"]
        )
        names = [feature.name for feature in features]
        rules = tuple(
            GradeCap(names.index(name), name, float(r["at_least"]), r["grade"], r["reason"]["zh"], r["reason"]["en"])
            for r in data["rules"]
            for name in (r["feature"],)
        )
        scale = {name: float(data["scale"][name]) for name in ("points", "odds", "double_odds", "minimum", "maximum")}
        grades, cuts = zip(*((str(name), float(cut)) for name, cut in data["grades"]), strict=True)
        factor = scale["double_odds"] / math.log(2)
        card = Scorecard(
            data["model"],
            features,
            read_calibration(data["calibration"]),
            factor,
            scale["points"] - factor * math.log(scale["odds"]),
            scale["minimum"],
            scale["maximum"],
            grades,
            cuts,
            rules,
        )
    except (KeyError, TypeError, ValueError) as error:
        raise Malformed(
            "scorecard.scorecard-version-cannot-be-read", error_name=type(error).__name__, cause=error
        ) from error
    _require(card, names)
    return card


def _require(card: Scorecard, names: Sequence[str]) -> None:
    numbers = (card.factor, card.offset, *card.cuts, *(r.at_least for r in card.rules))
    wrong = {
        "scorecard.not-finite": not all(map(math.isfinite, numbers)),
        "scorecard.points-fall": card.factor <= 0,
        "scorecard.scale": not card.minimum < card.maximum,
        "scorecard.grades": list(card.cuts) != sorted(card.cuts, reverse=True),
        "scorecard.grade-twice": len(set(card.grades)) != len(card.grades),
        "scorecard.feature-twice": not names or len(set(names)) != len(names),
        "scorecard.direction": any(f.direction not in (-1, 0, 1) for f in card.features),
        "scorecard.rule": any(r.grade not in card.grades for r in card.rules),
    }
    for why, is_so in wrong.items():
        if is_so:
            raise Malformed("scorecard.scorecard-version-makes-no-sense", why=Text(why))
