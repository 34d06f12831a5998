"""The scale of supervision by tier (分级分类监管): the tier of a grade or of points, and its inspection rate."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Annotated

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from credit.errors import Malformed
from credit.messages import Text
from serving.data.declarations import Declaration, read_declaration

SCALE_FILE = Path(__file__).with_name("supervision.yaml")
Bilingual = dict[str, str]  # zh, en


class Tier(Declaration):
    """A tier: its names, the share of its subjects inspected per year, and the measures taken."""

    zh: str
    en: str
    inspection_rate: Annotated[float, Field(ge=0, le=1)]
    measures: Bilingual


class IndustryScale(Declaration):
    """An industry's own scale: the least points of each tier, the best tier first."""

    title: Bilingual
    points: list[list[str | int]]


class SupervisionScale(Declaration):
    """The city's scale, and the industries' own scales."""

    version: str
    tiers: dict[str, Tier]
    grades: dict[str, str]
    industries: dict[str, IndustryScale]

    @model_validator(mode="after")
    def _fits(self) -> SupervisionScale:
        if any(tier not in self.tiers for tier in self.grades.values()):
            raise PydanticCustomError("supervision.tier-not-declared", "a grade gives a tier that is not declared")
        rates = [tier.inspection_rate for tier in self.tiers.values()]
        if rates != sorted(rates):
            raise PydanticCustomError("supervision.rates-must-rise", "the inspection rate must rise with the tier")
        for name, industry in self.industries.items():
            if [str(row[0]) for row in industry.points] != list(self.tiers):
                raise PydanticCustomError(
                    "supervision.industry-tiers", "industry {industry}: tiers", {"industry": name}
                )
            least = [row[1] for row in industry.points]
            if not all(isinstance(each, int) for each in least) or sorted(map(int, least), reverse=True) != least:
                raise PydanticCustomError(
                    "supervision.industry-points", "industry {industry}: points", {"industry": name}
                )
            if least[-1] != 0:
                raise PydanticCustomError(
                    "supervision.industry-last-tier", "industry {industry}: last", {"industry": name}
                )
        return self

    @property
    def worst(self) -> str:
        """The last tier."""
        return list(self.tiers)[-1]

    def tier(self, grade: str, points: float, industry: str | None, direct: bool) -> str:
        """The tier of a grade or of points. Raises Malformed for an undeclared grade.

        `direct` says that a rule of direct judgment (直接判级) gives the last grade, which gives the last tier.
        """
        if direct:
            return self.worst
        own = self.industries.get(industry or "")
        if own is not None:
            return next(str(name) for name, least in own.points if points >= float(least))
        if grade not in self.grades:
            raise Malformed("supervision.scale-supervision-does-not-know", why=Text.verbatim(grade))
        return self.grades[grade]


@cache
def supervision_scale(path: Path | None = None) -> SupervisionScale:
    """The scale at `path`, or the shipped one; read once. Raises Malformed when the file does not match its form."""
    return read_declaration(path or SCALE_FILE, SupervisionScale)
