"""What an order is made of, piece by piece, each with how it is read from a declaration."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import date
from types import MappingProxyType
from typing import Any

from credit.messages import Text
from models.order.parsing import DeclarationSection
from models.order.search_space import SearchSpace, read_space, usual
from models.order.suggest import hint
from models.scoring.trees.model_text import MAXIMUM_TREES

CALIBRATIONS = ("best", "platt", "beta", "isotonic")
PREFER = ("smaller", "best")
FOLDS_BY = ("subject", "period")
MEMBERS, MOST_MEMBERS = 4, 16  # boosters that are averaged: each costs whoever scores its trees


@dataclass(frozen=True, slots=True)
class FeatureDeclaration:
    """One feature. ``direction`` +1: a larger value may only raise the default probability; -1 lower; 0 either."""

    name: str
    title: str
    direction: int
    reason: Mapping[str, str]  # zh, en: what a bank is told


@dataclass(frozen=True, slots=True)
class Label:
    """What counts as defaulted (违约): ``when`` holds on a row of ``table`` within ``window_months`` of the day.

    None for an event's own row. A subject with no row in the window has no outcome, and is not observed. Rows may reach
    the platform late: only windows that ended ``settle_days`` before the release are taken. A subject for whom ``when``
    held on a row visible at the observation, in the ``clear_months`` before, has defaulted already: not observed.
    """

    table: str
    when: str
    window_months: int | None = None
    settle_days: int = 0
    clear_months: int = 0


@dataclass(frozen=True, slots=True)
class ObservationPlan:
    """When subjects are looked at: every so many months from ``first`` to ``last`` (firsts of a month), or at events.

    With an ``event`` each day on which a subject has a row of that table, less ``days_before``, is one observation, and
    its label whether any row of that day meets the condition. Only what happened before the day is seen, so 0 is right
    where a release gives the event's month alone.
    """

    every_months: int | None = None
    first: date | None = None
    last: date | None = None
    event: str | None = None
    days_before: int = 0

    @property
    def days(self) -> tuple[date, ...]:
        """The observation days of a periodic order."""
        if self.first is None or self.last is None or self.every_months is None:
            return ()
        months = range(self.first.year * 12 + self.first.month - 1, self.last.year * 12 + self.last.month)
        return tuple(date(month // 12, month % 12 + 1, 1) for month in months[:: self.every_months])


@dataclass(frozen=True, slots=True)
class HoldoutSplit:
    """How it is judged: on rows from ``out_of_time_from`` on, or (None) on all rows out of fold.

    Folds hold whole subjects, or (``by: period``) stretches of time: where outcomes come in campaigns, a recipe that
    does well on other subjects of the same months need not do well on other months.
    """

    out_of_time_from: date | None
    folds: int
    by: str = "subject"


@dataclass(frozen=True, slots=True)
class Training:
    """How many recipes are tried within which space, the seed, the least rows in a leaf (a privacy bound as well).

    The search ends early when ``patience`` trials came and went without a better one. A model of more than
    ``rows_a_worker`` rows is grown by several workers, each with a part of the rows.
    Of ``members`` trials at the most the best recipes are averaged, of those as good as the best (1: one recipe alone).
    ``calibration`` pins a kind of calibration map; "best" takes what log-loss chooses (models.calibration.selection).
    ``prefer``: the smaller of the recipes that are as good as the best, which bears change better, or the best.
    ``accept_leak`` names features that tell the label by themselves and may: somebody has looked.
    """

    trials: int = 12
    seed: int = 7
    minimum_leaf: int = 40
    rows_a_worker: int = 2_000_000
    accept_leak: tuple[str, ...] = ()
    patience: int = 24
    space: SearchSpace = field(default_factory=SearchSpace)
    calibration: str = "best"
    prefer: str = "smaller"
    members: int = MEMBERS


@dataclass(frozen=True, slots=True)
class PointsScale:
    """Points: ``points`` at good:bad ``odds``, ``double_odds`` more for twice the odds, within minimum and maximum."""

    points: float
    odds: float
    double_odds: float
    minimum: float
    maximum: float


@dataclass(frozen=True, slots=True)
class GradeCapDeclaration:
    """直接判级: a subject whose feature is ``at_least`` this is no better than ``grade``."""

    feature: str
    at_least: float
    grade: str
    reason: Mapping[str, str]


def keys_of(cls: type[Any]) -> tuple[str, ...]:
    """The fields of a dataclass: the keys it is declared by."""
    return tuple(each.name for each in fields(cls))


def _reason(form: DeclarationSection) -> Mapping[str, str]:
    told = form.form("reason", known=("zh", "en"))
    return MappingProxyType({"zh": told.text("zh"), "en": told.text("en")})


def read_feature(form: DeclarationSection) -> FeatureDeclaration:
    """One feature."""
    return FeatureDeclaration(
        form.name("name"), form.text("title"), form.whole("direction", least=-1, most=1), _reason(form)
    )


def read_grades(form: DeclarationSection) -> tuple[tuple[str, float], ...]:
    """Grades with their least points, from best to worst."""
    grades = []
    for item in form.items("grades"):
        if not isinstance(item, (list, tuple)) or len(item) != 2 or not isinstance(item[0], str):
            form.wrong("grades", Text.of("parsing.grade"), Text.of("parsing.grade-example"))
        grades.append((item[0], DeclarationSection({"grades": item[1]}, form.where).number("grades")))
    cuts = [cut for _, cut in grades]
    form.require("grades", bool(cuts) and cuts == sorted(set(cuts), reverse=True), Text.of("parsing.grade-order"))
    form.require("grades", len({name for name, _ in grades}) == len(grades), Text.of("parsing.grade-twice"))
    return tuple(grades)


def read_rule(form: DeclarationSection, features: list[str], grades: list[str]) -> GradeCapDeclaration:
    """One rule on a declared feature and grade."""
    feature, grade = form.name("feature"), form.text("grade")
    form.require(
        "feature", feature in features, Text.of("parsing.no-feature", feature=feature), hint(feature, features)
    )
    form.require("grade", grade in grades, Text.of("parsing.no-grade", grade=grade), hint(grade, grades))
    return GradeCapDeclaration(feature, form.number("at_least"), grade, _reason(form))


def read_label(form: DeclarationSection) -> Label:
    """The label."""
    window = None if form.told.get("window_months") is None else form.whole("window_months", least=1, most=60)
    settle = form.whole("settle_days", least=0, most=366, otherwise=0)
    return Label(
        form.name("table"), form.text("when"), window, settle, form.whole("clear_months", least=0, most=60, otherwise=0)
    )


def read_observe(form: DeclarationSection) -> ObservationPlan:
    """Periodic or at events, and not both."""
    if form.told.get("event") is not None:
        other = [key for key in ("every_months", "first", "last") if form.told.get(key) is not None]
        form.require("event", not other, Text.of("parsing.events-or-months"))
        return ObservationPlan(
            event=form.name("event"), days_before=form.whole("days_before", least=0, most=366, otherwise=0)
        )
    first, last = form.day("first"), form.day("last")
    for key, day in (("first", first), ("last", last)):
        # Dates of a research release are months: only at the first of a month do they show what days show.
        form.require(key, day.day == 1, Text.of("parsing.first-of-month"), Text.verbatim(f"{day:%Y-%m}-01"))
    form.require("last", first <= last, Text.of("parsing.last-before-first"))
    return ObservationPlan(form.whole("every_months", least=1, most=24), first, last)


def read_split(form: DeclarationSection) -> HoldoutSplit:
    """The split."""
    by = form.one_of("by", FOLDS_BY, otherwise="subject")
    return HoldoutSplit(form.day_or_none("out_of_time_from"), form.whole("folds", least=2, most=20), by)


def read_training(form: DeclarationSection) -> Training:
    """The training section."""
    leaf = form.whole("minimum_leaf", least=1, most=100_000, otherwise=40)
    told = (
        form.form("space", known=keys_of(SearchSpace), optional=keys_of(SearchSpace)) if "space" in form.told else None
    )
    space = read_space(told, leaf) if told else usual(leaf)
    most = max(1, MAXIMUM_TREES // space.rounds[1])
    members = form.whole("members", least=1, most=MOST_MEMBERS, otherwise=min(MEMBERS, most))
    why = Text.of("parsing.too-many-trees", members=members, rounds=space.rounds[1], limit=MAXIMUM_TREES)
    form.require("members", members <= most, why, Text.of("parsing.fewer-trees"))
    return Training(
        form.whole("trials", least=1, most=1000, otherwise=12),
        form.whole("seed", least=0, most=2**31 - 1, otherwise=7),
        leaf,
        form.whole("rows_a_worker", least=500, most=1_000_000_000, otherwise=2_000_000),
        form.names("accept_leak") if "accept_leak" in form.told else (),
        form.whole("patience", least=1, most=1000, otherwise=24),
        space,
        form.one_of("calibration", CALIBRATIONS, otherwise="best"),
        form.one_of("prefer", PREFER, otherwise="smaller"),
        members,
    )


def training_of(declaration: Mapping[str, Any]) -> Training:
    """The training section of a whole declaration."""
    known = keys_of(Training)
    return read_training(DeclarationSection.of(declaration["training"], "order.training", known=known, optional=known))


def read_scale(form: DeclarationSection) -> PointsScale:
    """The scale."""
    least, most = form.number("minimum"), form.number("maximum")
    form.require("maximum", least < most, Text.of("parsing.above-minimum"))
    return PointsScale(
        form.number("points"), form.number("odds", above=0), form.number("double_odds", above=0), least, most
    )
