"""The declaration of a public evaluation (公共信用综合评价), read strictly from plain values.

Families (一级指标) hold indicators (二级指标), indicators hold measures: a value by SQL over one table, and the points
that it gives. Points are whole hundredths everywhere, so sums are exact. ``facts`` are measures that only rules read.
The version of an evaluation is the digest of its declaration.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from credit.canonical import digest_json
from credit.errors import Malformed
from credit.messages import Text
from models.scoring.evaluation.fields import DeclaredFields

NAME_PREFIX = "public_"  # the name of an evaluation is this and the kind of its subjects
_KEYS = (
    "evaluation", "title", "standard", "structure", "subject_kind", "population", "period", "base", "minimum",
    "maximum", "grades", "published_grades", "families", "facts", "rules",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class EvaluationMeasure:
    """A value (计分项): ``sql`` is an aggregate over rows of ``table`` in the last ``window_months`` by ``dated_by``.

    Points are ``each`` for every unit of the value, between ``floor`` and ``cap``, or those of the last of ``bands``
    (least value, points) that the value reaches. A subject without a row in the window has no value and no points.
    All points are in hundredths.
    """

    code: str
    zh: str
    en: str
    table: str
    sql: str
    window_months: int | None
    dated_by: str | None
    each: int | None
    bands: tuple[tuple[float, int], ...]
    floor: int
    cap: int


@dataclass(frozen=True, slots=True)
class Indicator:
    """An indicator: the sum of its measures' points, in hundredths, between ``floor`` and ``cap``.

    ``example`` marks one that no published standard has. Without measures its data are not collected: it gives nothing.
    """

    code: str
    zh: str
    en: str
    example: bool
    floor: int
    cap: int
    measures: tuple[EvaluationMeasure, ...]


@dataclass(frozen=True, slots=True)
class Family:
    """A first-level indicator (一级指标) and the indicators below it."""

    code: str
    zh: str
    en: str
    indicators: tuple[Indicator, ...]


@dataclass(frozen=True, slots=True)
class DirectRule:
    """A direct judgment (直接判级): where the measure is ``at_least`` this, no grade is better than ``grade``."""

    feature: str
    at_least: float
    grade: str
    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class Evaluation:
    """A whole declaration. ``grades`` are from best to worst with their least points, in hundredths."""

    name: str
    title: str
    standard: str
    structure: str
    subject_kind: str
    population: str
    base: int
    minimum: int
    maximum: int
    grade_cuts: tuple[tuple[str, int], ...]
    published_grades: tuple[str, ...]
    families: tuple[Family, ...]
    facts: tuple[EvaluationMeasure, ...]
    rules: tuple[DirectRule, ...]
    data: Mapping[str, Any] = field(repr=False, compare=False)
    version: str = field(repr=False, compare=False)

    @property
    def indicators(self) -> tuple[Indicator, ...]:
        """The indicators of all families (I,), in the declared order."""
        return tuple(indicator for family in self.families for indicator in family.indicators)

    @property
    def measures(self) -> tuple[EvaluationMeasure, ...]:
        """The measures of all indicators and the facts (F,), in the declared order, which is that of the columns."""
        return (*(measure for each in self.indicators for measure in each.measures), *self.facts)

    @property
    def names(self) -> tuple[str, ...]:
        """The codes of the indicators (I,)."""
        return tuple(indicator.code for indicator in self.indicators)

    @property
    def grades(self) -> tuple[str, ...]:
        """The grades, from best to worst."""
        return tuple(name for name, _ in self.grade_cuts)

    @property
    def tables(self) -> tuple[str, ...]:
        """The tables that it reads, the register among them, sorted."""
        return tuple(sorted({self.population, *(measure.table for measure in self.measures)}))


def read_evaluation(data: Any) -> Evaluation:
    """Read plain values; raises :class:`Malformed` with the key that is wrong."""
    top = DeclaredFields.of(data, "evaluation", known=_KEYS)
    names = tuple((str(name), cut) for name, cut in _pairs(top, "grades"))
    grades = tuple((name, _hundredths(top, "grades", cut)) for name, cut in names)
    evaluation = Evaluation(
        top.text("evaluation"),
        top.text("title"),
        top.text("standard"),
        top.text("structure"),
        top.text("subject_kind"),
        top.text("population"),
        top.points("base"),
        top.points("minimum"),
        top.points("maximum"),
        grades,
        tuple(map(str, top.list("published_grades"))),
        tuple(_family(each) for each in top.sections("families", ("code", "zh", "en", "indicators"))),
        tuple(_measure(each, scored=False) for each in top.sections("facts", _FACT_KEYS, _OPTIONAL)),
        tuple(
            DirectRule(
                each.text("measure"), each.number("at_least"), each.text("grade"), each.text("zh"), each.text("en")
            )
            for each in top.sections("rules", ("measure", "at_least", "grade", "zh", "en"))
        ),
        dict(data),
        digest_json(data),
    )
    _require_whole(top, evaluation)
    return evaluation


_FACT_KEYS = ("code", "zh", "en", "table", "sql", "window_months", "dated_by")
_MEASURE_KEYS = (*_FACT_KEYS, "each", "bands", "floor", "cap")
_OPTIONAL = ("window_months", "dated_by", "each", "bands", "floor", "cap")


def _family(section: DeclaredFields) -> Family:
    known = ("code", "zh", "en", "example", "floor", "cap", "measures")
    indicators = tuple(_indicator(each) for each in section.sections("indicators", known, ("example",)))
    return Family(section.text("code"), section.text("zh"), section.text("en"), indicators)


def _indicator(section: DeclaredFields) -> Indicator:
    measures = tuple(_measure(each, scored=True) for each in section.sections("measures", _MEASURE_KEYS, _OPTIONAL))
    floor, cap = section.points("floor"), section.points("cap")
    section.require("cap", floor <= 0 <= cap)
    is_example = section.data.get("example", False)
    section.require("example", isinstance(is_example, bool))
    return Indicator(
        section.text("code"), section.text("zh"), section.text("en"), is_example, floor, cap, measures
    )  # fmt: skip


def _measure(section: DeclaredFields, *, scored: bool) -> EvaluationMeasure:
    window = section.whole("window_months", 1, 120) if "window_months" in section.data else None
    dated_by = section.text("dated_by") if "dated_by" in section.data else None
    section.require("dated_by", (window is None) == (dated_by is None))
    bands = tuple(
        (DeclaredFields({"bands": least}, section.where).number("bands"), _hundredths(section, "bands", points))
        for least, points in _pairs(section, "bands")
    )
    section.require("bands", [least for least, _ in bands] == sorted({least for least, _ in bands}))
    each = section.points("each") if "each" in section.data else None
    section.require("each", (each is None) == bool(bands) if scored else each is None and not bands)
    floor, cap = 0, 0
    if each is not None:
        floor, cap = (section.points(key) if key in section.data else 0 for key in ("floor", "cap"))
        section.require("floor", floor <= 0 <= cap and floor < cap)
    code, zh, en, table, sql = (section.text(key) for key in ("code", "zh", "en", "table", "sql"))
    return EvaluationMeasure(code, zh, en, table, sql, window, dated_by, each, bands, floor, cap)


def _pairs(section: DeclaredFields, key: str) -> Sequence[tuple[Any, Any]]:
    pairs = section.list(key) if key in section.data else []
    section.require(key, all(isinstance(pair, list) and len(pair) == 2 for pair in pairs))
    return [(pair[0], pair[1]) for pair in pairs]


def _hundredths(section: DeclaredFields, key: str, value: Any) -> int:
    return DeclaredFields({key: value}, section.where).points(key)


def _require_whole(top: DeclaredFields, evaluation: Evaluation) -> None:
    codes = [measure.code for measure in evaluation.measures]
    cuts = [cut for _, cut in evaluation.grade_cuts]
    wrong = {
        "evaluation.wrong-families": not evaluation.indicators
        or any(len(set(each)) < len(each) for each in (codes, evaluation.names)),
        "evaluation.wrong-grades": not cuts or cuts != sorted(set(cuts), reverse=True),
        "evaluation.wrong-scale": not evaluation.minimum <= evaluation.base <= evaluation.maximum,
        "evaluation.wrong-published": not set(evaluation.published_grades) <= set(evaluation.grades),
        "evaluation.wrong-rules": any(
            rule.feature not in codes or rule.grade not in evaluation.grades for rule in evaluation.rules
        ),
        "evaluation.wrong-period": top.data["period"] != "month",
    }
    for why, is_so in wrong.items():
        if is_so or (why == "evaluation.wrong-grades" and len(set(evaluation.grades)) < len(cuts)):
            raise Malformed("evaluation.makes-no-sense", why=Text(why), name=evaluation.name)
    if evaluation.name != NAME_PREFIX + evaluation.subject_kind:
        why_name = Text.of("evaluation.wrong-name", prefix=NAME_PREFIX)
        raise Malformed("evaluation.makes-no-sense", why=why_name, name=evaluation.name)
