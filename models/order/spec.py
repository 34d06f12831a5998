"""The sections of an order, each with the function that reads it from a declaration."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import date
from types import MappingProxyType
from typing import Any

from credit.messages import Text
from models.order.parsing import DeclarationSection
from models.order.search_space import SearchSpace, default_space, read_space
from models.order.suggest import hint
from models.scoring.trees.model_text import MAXIMUM_TREES

CALIBRATIONS = ("best", "platt", "beta", "isotonic")
PREFER = ("smaller", "best")
FOLDS_BY = ("subject", "period")
DEFAULT_MEMBERS, MAXIMUM_MEMBERS = 4, 16  # boosters that are averaged: each adds its trees to the cost of a score


@dataclass(frozen=True, slots=True)
class FeatureDeclaration:
    """One feature. ``direction`` +1: a larger value may only raise the default probability; -1: only lower it; 0:
    either."""

    name: str
    title: str
    direction: int
    reason: Mapping[str, str]  # zh, en: the reason as shown to a bank


@dataclass(frozen=True, slots=True)
class Label:
    """What counts as defaulted (违约): ``when`` is true for a row of ``table`` within ``window_months`` after the day.

    ``window_months`` is None when the label is on an event's own row. A subject without a row in the window has no
    outcome
    and is not observed. Rows may reach the platform late, so only windows that ended ``settle_days`` before the release
    are used. A subject for whom ``when`` was true in a visible row of the ``clear_months`` before the observation has
    defaulted already, and is not observed.
    """

    table: str
    when: str
    window_months: int | None = None
    settle_days: int = 0
    clear_months: int = 0


@dataclass(frozen=True, slots=True)
class ObservationPlan:
    """When subjects are observed: every ``every_months`` from ``first`` to ``last`` (firsts of a month), or at events.

    With an ``event``, each day on which a subject has a row of that table, minus ``days_before``, is one
    observation, and its
    label is whether any row of that day meets the condition. Only what happened before the day is visible, so 0 is
    right
    for a release that gives the month of an event alone.
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
    """How a model is evaluated: on rows from ``out_of_time_from`` on, or (None) on all rows out of fold.

    Folds contain whole subjects, or (``by: period``) periods of time: where outcomes come in campaigns, a recipe
    that does
    well on other subjects of the same months need not do well in other months.
    """

    out_of_time_from: date | None
    folds: int
    by: str = "subject"


@dataclass(frozen=True, slots=True)
class Training:
    """How many recipes are tried in which search space, the seed, and the least rows in a leaf (also a privacy bound).

    The search ends early after ``patience`` trials without a better one. A model of more than ``rows_a_worker`` rows is
    trained by several workers, each on a part of the rows. The best of the recipes that are as good as the best one are
    averaged, at most ``members`` (1: one recipe alone). ``calibration`` fixes the kind of calibration map; "best"
    selects it
    by log-loss (:mod:`models.calibration.selection`). ``prefer``: among recipes that are as good as the best, the
    smallest,
    which is more robust to change, or the best. ``accept_leak`` names features that predict the label almost alone
    and that
    a person has accepted.
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
    members: int = DEFAULT_MEMBERS


@dataclass(frozen=True, slots=True)
class PointsScale:
    """Points: ``points`` at good:bad ``odds``, ``double_odds`` more for twice the odds, clipped to minimum and
    maximum."""

    points: float
    odds: float
    double_odds: float
    minimum: float
    maximum: float


@dataclass(frozen=True, slots=True)
class GradeCapDeclaration:
    """A grade cap (直接判级): a subject whose feature is ``at_least`` this value has no better grade than ``grade``."""

    feature: str
    at_least: float
    grade: str
    reason: Mapping[str, str]


def field_names(cls: type[Any]) -> tuple[str, ...]:
    """The names of a dataclass's fields, which are the keys of its section."""
    return tuple(item.name for item in fields(cls))


def _reason(section: DeclarationSection) -> Mapping[str, str]:
    reason = section.section("reason", known=("zh", "en"))
    return MappingProxyType({"zh": reason.text("zh"), "en": reason.text("en")})


def read_feature(section: DeclarationSection) -> FeatureDeclaration:
    """One feature."""
    return FeatureDeclaration(
        section.name("name"),
        section.text("title"),
        section.integer("direction", minimum=-1, maximum=1),
        _reason(section),
    )


def read_grades(section: DeclarationSection) -> tuple[tuple[str, float], ...]:
    """Grades with their least points, from best to worst."""
    grades = []
    for item in section.items("grades"):
        if not isinstance(item, (list, tuple)) or len(item) != 2 or not isinstance(item[0], str):
            section.refuse("grades", Text.of("parsing.grade"), Text.of("parsing.grade-example"))
        grades.append((item[0], DeclarationSection({"grades": item[1]}, section.where).number("grades")))
    cuts = [cut for _, cut in grades]
    section.require("grades", bool(cuts) and cuts == sorted(set(cuts), reverse=True), Text.of("parsing.grade-order"))
    section.require("grades", len({name for name, _ in grades}) == len(grades), Text.of("parsing.grade-twice"))
    return tuple(grades)


def read_rule(section: DeclarationSection, features: list[str], grades: list[str]) -> GradeCapDeclaration:
    """One rule on a declared feature and grade."""
    feature, grade = section.name("feature"), section.text("grade")
    section.require(
        "feature", feature in features, Text.of("parsing.no-feature", feature=feature), hint(feature, features)
    )
    section.require("grade", grade in grades, Text.of("parsing.no-grade", grade=grade), hint(grade, grades))
    return GradeCapDeclaration(feature, section.number("at_least"), grade, _reason(section))


def read_label(section: DeclarationSection) -> Label:
    """The label."""
    window = (
        None if section.data.get("window_months") is None else section.integer("window_months", minimum=1, maximum=60)
    )
    settle = section.integer("settle_days", minimum=0, maximum=366, default=0)
    return Label(
        section.name("table"),
        section.text("when"),
        window,
        settle,
        section.integer("clear_months", minimum=0, maximum=60, default=0),
    )


def read_observe(section: DeclarationSection) -> ObservationPlan:
    """Periodic or at events, and not both."""
    if section.data.get("event") is not None:
        other = [key for key in ("every_months", "first", "last") if section.data.get(key) is not None]
        section.require("event", not other, Text.of("parsing.events-or-months"))
        return ObservationPlan(
            event=section.name("event"), days_before=section.integer("days_before", minimum=0, maximum=366, default=0)
        )
    first, last = section.day("first"), section.day("last")
    for key, day in (("first", first), ("last", last)):
        # Dates of a research release are rounded to months: they equal exact dates only at the first of a month.
        section.require(key, day.day == 1, Text.of("parsing.first-of-month"), Text.verbatim(f"{day:%Y-%m}-01"))
    section.require("last", first <= last, Text.of("parsing.last-before-first"))
    return ObservationPlan(section.integer("every_months", minimum=1, maximum=24), first, last)


def read_split(section: DeclarationSection) -> HoldoutSplit:
    """The split."""
    by = section.choice("by", FOLDS_BY, default="subject")
    return HoldoutSplit(section.day_or_none("out_of_time_from"), section.integer("folds", minimum=2, maximum=20), by)


def read_training(section: DeclarationSection) -> Training:
    """The training section."""
    minimum_leaf = section.integer("minimum_leaf", minimum=1, maximum=100_000, default=40)
    space_section = (
        section.section("space", known=field_names(SearchSpace), optional=field_names(SearchSpace))
        if "space" in section.data
        else None
    )
    space = read_space(space_section, minimum_leaf) if space_section else default_space(minimum_leaf)
    maximum_members = max(1, MAXIMUM_TREES // space.rounds[1])
    members = section.integer(
        "members", minimum=1, maximum=MAXIMUM_MEMBERS, default=min(DEFAULT_MEMBERS, maximum_members)
    )
    why = Text.of("parsing.too-many-trees", members=members, rounds=space.rounds[1], limit=MAXIMUM_TREES)
    section.require("members", members <= maximum_members, why, Text.of("parsing.fewer-trees"))
    return Training(
        section.integer("trials", minimum=1, maximum=1000, default=12),
        section.integer("seed", minimum=0, maximum=2**31 - 1, default=7),
        minimum_leaf,
        section.integer("rows_a_worker", minimum=500, maximum=1_000_000_000, default=2_000_000),
        section.names("accept_leak") if "accept_leak" in section.data else (),
        section.integer("patience", minimum=1, maximum=1000, default=24),
        space,
        section.choice("calibration", CALIBRATIONS, default="best"),
        section.choice("prefer", PREFER, default="smaller"),
        members,
    )


def training_of(declaration: Mapping[str, Any]) -> Training:
    """The training section of a whole declaration."""
    known = field_names(Training)
    return read_training(DeclarationSection.of(declaration["training"], "order.training", known=known, optional=known))


def read_scale(section: DeclarationSection) -> PointsScale:
    """The scale."""
    lowest, highest = section.number("minimum"), section.number("maximum")
    section.require("maximum", lowest < highest, Text.of("parsing.above-minimum"))
    return PointsScale(
        section.number("points"),
        section.number("odds", above=0),
        section.number("double_odds", above=0),
        lowest,
        highest,
    )
