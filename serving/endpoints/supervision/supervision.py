"""Supervision by tier (分级分类监管), for agencies: the tier and rate of random inspection that a standing comes to.

The grade of the public evaluation gives the tier; an industry may have a scale of its own; a rule of direct judgment
(直接判级) that gives D gives the last tier whatever the points. An agency looks under its own duty and needs no
mandate, but it names the matter it looks in, and that stands in the ledger.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from credit.errors import Lapsed, Malformed, Missing, Unauthenticated
from credit.messages import Text
from credit.uscc import Uscc
from serving.core.request import RequestContext
from serving.core.service import ScoringService
from serving.data.declarations import Declaration, read_declaration
from serving.endpoints.inquiries.inquiries import answer_with_receipt
from serving.endpoints.inquiries.schemas import SupervisionRequestSchema
from serving.errors import ScopeMissing
from serving.responses.compose import stored_score
from serving.responses.request_schemas import parse_body

SUPERVISED, AGENCY = "supervision.answered", "agency"
SCALE_FILE = Path(__file__).with_name("supervision.yaml")
NOTICE = {
    "zh": "供监管参考，不作为行政处罚或许可的依据。",
    "en": "For planning supervision; no ground for a penalty or a licence.",
}
Both = dict[str, str]


class Tier(Declaration):
    """A tier: what it is called, which share of it is inspected in a year, and what is done."""

    zh: str
    en: str
    inspection_rate: Annotated[float, Field(ge=0, le=1)]
    measures: Both


class IndustryScale(Declaration):
    """An industry's own scale: the least points of each tier, the best first."""

    title: Both
    points: list[list[str | int]]


class SupervisionScale(Declaration):
    """The city's scale and the industries'."""

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
        """The tier of a standing. Raises Malformed for a grade that nobody declared."""
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
    """Those of the settings, else the shipped ones; read once. Raises Malformed when the file has not its form."""
    return read_declaration(path or SCALE_FILE, SupervisionScale)


async def supervise(service: ScoringService, call: RequestContext, body: bytes) -> bytes:
    """The tier of one subject, to an agency. Raises Malformed, ScopeMissing, Missing, Lapsed."""
    client = service.access.client(call.by.name)
    if client is None:
        raise Unauthenticated("supervision.token-client-may-not-call")
    if client.kind != AGENCY:
        raise ScopeMissing("supervision.for-agencies")
    asked = parse_body(SupervisionRequestSchema, body)
    uscc, day, told = Uscc.parse(asked.uscc), service.settings.day(), supervision_scale(service.settings.supervision)
    subject = service.pseudonyms.key_of(uscc.code)
    call.details |= {"subject": subject.hex, "matter": asked.matter}
    book = service.snapshots.for_kind(uscc.kind, day)
    call.details |= {"model": book.model, "version": book.version, "snapshot": book.snapshot}
    row = book.row_of(subject)
    if row is None:
        raise Missing("supervision.subject-not-known-here")
    service.snapshots.suppression.require(subject.hex, book.notice_number)
    line, industry = stored_score(book, row), _industry(service, uscc)
    hits = book.scorecard.rule_hits(line.features[None, :])[0]
    rules = [rule for rule, hit in zip(book.scorecard.rules, hits, strict=True) if hit]
    letter = told.tier(
        line.grade, line.points, industry, any(rule.grade == book.scorecard.grades[-1] for rule in rules)
    )
    tier, own = told.tiers[letter], told.industries.get(industry or "")
    said: dict[str, Any] = {
        "supervision_id": call.id,
        "matter": asked.matter,
        "grade": line.grade,
        "points": round(line.points * 100) / 100,
        "industry": industry,
        "scale": {"version": told.version, **(own.title if own else {"zh": "全市通用", "en": "the city's own"})},
        "tier": {"code": letter, "zh": tier.zh, "en": tier.en},
        "inspection": {"rate": tier.inspection_rate, **tier.measures},
        "rules": [{"code": rule.feature, "grade": rule.grade, "zh": rule.zh, "en": rule.en} for rule in rules],
        "snapshot": {"id": book.snapshot, "as_of": book.as_of.isoformat()},
        "version": book.version,
        "valid_until": book.valid_until(service.settings.freshness_days).isoformat(),
        "notice": NOTICE,
    }
    return await answer_with_receipt(service, call, SUPERVISED, said, uscc.code)


def _industry(service: ScoringService, uscc: Uscc) -> str | None:
    """The section of GB/T 4754 of a subject's registration; None when no dossier tells it."""
    assert service.credit_files is not None
    try:
        dossiers = service.credit_files.open(service.settings.day())
    except Lapsed:  # without dossiers the city's own scale holds
        return None
    found = service.credit_files.find(dossiers, uscc.code) or {}
    columns = dossiers.tables.get("registration", {}).get("columns", [])
    rows = found.get("registration", [])
    return str(rows[0][2 + columns.index("industry")]) if rows and "industry" in columns else None
