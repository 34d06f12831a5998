"""Supervision by tier (分级分类监管), for agencies: a subject's tier, and the rate of random inspection of that tier.

The grade of the public evaluation (公共信用综合评价) gives the tier, and its indicator sheet says why. No model and no
market data have a part in it. An industry may have a scale of its own. A rule of direct judgment (直接判级) that gives
D gives the last tier, whatever the points are. An agency acts under its own statutory duty and
needs no mandate; it states the matter of its inquiry, which the ledger records.
"""

from __future__ import annotations

from typing import Any

from credit.errors import Lapsed, Missing, Unauthenticated
from credit.uscc import Uscc
from serving.auth.clients import AGENCY
from serving.core.request import RequestContext
from serving.core.service import ScoringService
from serving.endpoints.inquiries.inquiries import answer_with_receipt
from serving.endpoints.supervision.scale import supervision_scale
from serving.endpoints.supervision.schemas import SupervisionRequestSchema
from serving.errors import ScopeMissing
from serving.responses.request_schemas import parse_body

SUPERVISED = "supervision.answered"
NOTICE = {
    "zh": "供监管参考，不作为行政处罚或许可的依据。",
    "en": "For planning supervision; no ground for a penalty or a licence.",
}


async def supervise(service: ScoringService, call: RequestContext, body: bytes) -> bytes:
    """The tier of one subject, for an agency. Raises Malformed, ScopeMissing, Missing, Lapsed."""
    client = service.access.client(call.by.name)
    if client is None:
        raise Unauthenticated("supervision.token-client-may-not-call")
    if client.kind != AGENCY:
        raise ScopeMissing("supervision.for-agencies")
    request = parse_body(SupervisionRequestSchema, body)
    uscc, day, scale = Uscc.parse(request.uscc), service.settings.day(), supervision_scale(service.settings.supervision)
    subject = service.pseudonyms.key_of(uscc.code)
    call.details |= {"subject": subject.hex, "matter": request.matter}
    active = service.evaluations.for_kind(uscc.kind, day)
    call.details |= {"model": active.model, "version": active.version, "snapshot": active.snapshot}
    sheet = active.sheet_of(subject)
    if sheet is None:
        raise Missing("supervision.subject-not-known-here")
    service.snapshots.suppression.require(subject.hex, active.notice_number)
    industry, worst = _industry(service, uscc), active.evaluation.grades[-1]
    direct = any(rule["grade"] == worst for rule in sheet["rules"])
    tier_code = scale.tier(sheet["grade"], sheet["points"], industry, direct)
    tier, industry_scale = scale.tiers[tier_code], scale.industries.get(industry or "")
    answer: dict[str, Any] = {
        "supervision_id": call.id,
        "matter": request.matter,
        "grade": sheet["grade"],
        "points": sheet["points"],
        "industry": industry,
        "scale": {
            "version": scale.version,
            **(industry_scale.title if industry_scale else {"zh": "全市通用", "en": "the city's own"}),
        },
        "tier": {"code": tier_code, "zh": tier.zh, "en": tier.en},
        "inspection": {"rate": tier.inspection_rate, **tier.measures},
        "rules": sheet["rules"],
        "sheet": sheet,
        "snapshot": {"id": active.snapshot, "as_of": active.as_of.isoformat()},
        "version": active.version,
        "valid_until": active.valid_until(service.settings.freshness_days).isoformat(),
        "notice": NOTICE,
    }
    return await answer_with_receipt(service, call, SUPERVISED, answer, uscc.code)


def _industry(service: ScoringService, uscc: Uscc) -> str | None:
    """The section of GB/T 4754 in a subject's registration; None when no credit file states it."""
    assert service.credit_files is not None
    try:
        credit_files = service.credit_files.open(service.settings.day())
    except Lapsed:  # without credit files the city's own scale applies
        return None
    credit_file = service.credit_files.find(credit_files, uscc.code) or {}
    columns = credit_files.tables.get("registration", {}).get("columns", [])
    rows = credit_file.get("registration", [])
    return str(rows[0][2 + columns.index("industry")]) if rows and "industry" in columns else None
