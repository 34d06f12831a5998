"""The facts behind a score's reasons: the records, by document number, of the tables that the features are computed
from.

They are a request of their own, so that a score costs no more. The tables behind a feature are derived from its SQL
when the snapshot is made, and are in the snapshot's signed terms. A record is shown if an inquiry under the score's
own mandate would show it today.
"""

from __future__ import annotations

import asyncio
from typing import Any

from credit.errors import Lapsed, Missing
from credit.uscc import Uscc
from serving.core.request import ANSWERED, RequestContext
from serving.core.service import ScoringService, require_lending_use
from serving.endpoints.inquiries.inquiries import InquiryScope, answer_with_receipt, open_inquiry, visible_records
from serving.endpoints.inquiries.schemas import FactsRequestSchema
from serving.responses.compose import stored_score
from serving.responses.request_schemas import parse_body

FACTS_ANSWERED, MAX_DOCUMENTS = "facts.answered", 5  # documents listed per reason
NOTICE = {
    "zh": "所列为该指标所依据目录项下现可展示的记录，不一定都在指标的统计期内。",
    "en": "Records that may be shown of the tables behind a feature; not each lies in the feature's window.",
}


async def answer_facts(service: ScoringService, call: RequestContext, body: bytes) -> bytes:
    """The facts behind one score that this bank received.

    Raises Malformed, Missing when the bank received no such score, Lapsed when a newer snapshot answers, and as
    `open_inquiry`.
    """
    request = parse_body(FactsRequestSchema, body)
    uscc = Uscc.parse(request.uscc)
    subject = service.pseudonyms.key_of(uscc.code)
    call.details["subject"] = subject.hex
    entries = await asyncio.to_thread(service.journal.about, request.score_id)
    answers = [
        entry
        for entry in entries
        if entry.verb == ANSWERED and entry.by == call.by and entry.details.get("subject") == subject.hex
    ]
    if not answers:
        raise Missing("facts.no-such-answer")
    details = answers[0].details
    call.details |= {"score": request.score_id}
    scope = open_inquiry(
        service, call, uscc.code, details["purpose"], details["mandate"]
    )  # raises unless the mandate is still in force
    snapshot = service.snapshots.for_kind(uscc.kind, scope.day)
    require_lending_use(call, snapshot)
    row = snapshot.row_of(subject)
    if snapshot.snapshot != details["snapshot"] or row is None:
        raise Lapsed("facts.newer-snapshot")
    service.snapshots.suppression.require(subject.hex, snapshot.notice_number)
    sealed = await asyncio.to_thread(service.snapshots.shelf.open, snapshot.snapshot, deep=False)
    tables_by_feature: dict[str, list[str]] = sealed.seal.terms.get("behind", {})
    score = stored_score(snapshot, row)
    reasons = [
        reason
        for reason in snapshot.scorecard.reasons(score.base_points, score.points, score.contributions)
        if reason.points
    ]
    facts = {
        "facts_id": call.id,
        "score_id": request.score_id,
        "facts": [
            _fact(scope, reason.feature, reason.points, tables_by_feature.get(reason.feature, [])) for reason in reasons
        ],
        "snapshot": {"id": snapshot.snapshot, "as_of": snapshot.as_of.isoformat()},
        "dossiers": {"id": scope.credit_files.snapshot, "as_of": scope.credit_files.as_of.isoformat()},
        "notice": NOTICE,
    }
    return await answer_with_receipt(service, call, FACTS_ANSWERED, facts, uscc.code)


def _fact(scope: InquiryScope, feature: str, points: float, tables: list[str]) -> dict[str, Any]:
    records = visible_records(scope, tables)
    documents = [
        {
            "table": record.table,
            "document": record.document,
            "happened": record.happened and record.happened.isoformat(),
        }
        for record in records[:MAX_DOCUMENTS]
    ]
    return {"code": feature, "points": points, "tables": tables, "total": len(records), "documents": documents}
