"""The facts behind a score's reasons: which records, by document number, the features were made of.

A call of its own, so that a score costs what it cost. Which tables stand behind a feature was read off its SQL when the
snapshot was made, and stands in the snapshot's signed terms; which of their records may be shown is what an inquiry
under the score's own mandate would show today.
"""

from __future__ import annotations

import asyncio
from typing import Any

from credit.errors import Lapsed, Missing
from credit.uscc import Uscc
from serving.core.request import ANSWERED, RequestContext
from serving.core.service import ScoringService
from serving.endpoints.inquiries.inquiries import InquiryScope, answer_with_receipt, open_inquiry, visible_records
from serving.endpoints.inquiries.schemas import FactsRequestSchema
from serving.responses.compose import stored_score
from serving.responses.request_schemas import parse_body

FACTS_ANSWERED, MAX_DOCUMENTS = "facts.answered", 5  # documents of a reason
NOTICE = {
    "zh": "所列为该指标所依据目录项下现可展示的记录，不一定都在指标的统计期内。",
    "en": "Records that may be shown of the tables behind a feature; not each lies in the feature's window.",
}


async def answer_facts(service: ScoringService, call: RequestContext, body: bytes) -> bytes:
    """The facts behind one answered score. Raises Malformed, Missing, Lapsed, and as `inquiries.look` does."""
    asked = parse_body(FactsRequestSchema, body)
    uscc = Uscc.parse(asked.uscc)
    subject = service.pseudonyms.key_of(uscc.code)
    call.details["subject"] = subject.hex
    given = await asyncio.to_thread(service.journal.lines_about, asked.score_id)
    found = [e for e in given if e.verb == ANSWERED and e.by == call.by and e.details.get("subject") == subject.hex]
    if not found:
        raise Missing("facts.no-such-answer")
    told = found[0].details
    call.details |= {"score": asked.score_id}
    looked = open_inquiry(service, call, uscc.code, told["purpose"], told["mandate"])  # the mandate must still hold
    book = service.snapshots.for_kind(uscc.kind, looked.day)
    row = book.row_of(subject)
    if book.snapshot != told["snapshot"] or row is None:
        raise Lapsed("facts.newer-snapshot")
    service.snapshots.suppression.require(subject.hex, book.notice_number)
    sealed = await asyncio.to_thread(service.snapshots.shelf.open, book.snapshot, deep=False)
    behind: dict[str, list[str]] = sealed.seal.terms.get("behind", {})
    line = stored_score(book, row)
    reasons = [r for r in book.scorecard.reasons(line.base_points, line.points, line.contributions) if r.points]
    said = {
        "facts_id": call.id,
        "score_id": asked.score_id,
        "facts": [_fact(looked, reason.feature, reason.points, behind.get(reason.feature, [])) for reason in reasons],
        "snapshot": {"id": book.snapshot, "as_of": book.as_of.isoformat()},
        "dossiers": {"id": looked.dossiers.snapshot, "as_of": looked.dossiers.as_of.isoformat()},
        "notice": NOTICE,
    }
    return await answer_with_receipt(service, call, FACTS_ANSWERED, said, uscc.code)


def _fact(looked: InquiryScope, feature: str, points: float, tables: list[str]) -> dict[str, Any]:
    records = visible_records(looked, tables)
    documents = [
        {"table": each.table, "document": each.document, "happened": each.happened and each.happened.isoformat()}
        for each in records[:MAX_DOCUMENTS]
    ]
    return {"code": feature, "points": points, "tables": tables, "total": len(records), "documents": documents}
