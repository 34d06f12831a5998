"""The public evaluation of a subject for a bank or an agency under the subject's mandate (评价结果)."""

from __future__ import annotations

from typing import Any, NamedTuple

from credit.errors import Missing
from credit.uscc import Uscc
from serving.core.request import RequestContext
from serving.core.service import ScoringService
from serving.data.evaluations import ActiveEvaluation


class EvaluatedSubject(NamedTuple):
    """The indicator sheet of a subject, the mandate that opens it, and the last day of its use (ISO 8601)."""

    uscc: str
    active: ActiveEvaluation
    sheet: dict[str, Any]
    mandate: str
    valid_until: str


def evaluation_under_mandate(
    service: ScoringService, call: RequestContext, uscc_text: str, purpose: str, mandate_id: str
) -> EvaluatedSubject:
    """The evaluation of one subject. The mandate is checked before the subject, so no client learns who is known.

    Raises Malformed, Lapsed, Refused, Missing.
    """
    uscc, day, details = Uscc.parse(uscc_text), service.settings.day(), call.details
    subject = service.pseudonyms.key_of(uscc.code)
    details["subject"] = subject.hex
    active = service.evaluations.for_kind(uscc.kind, day)  # one for the whole request, also when it is replaced
    details |= {"model": active.model, "version": active.version, "snapshot": active.snapshot}
    mandate, valid_until = service.require_mandate(call, subject, active, purpose, mandate_id, day)
    sheet = active.sheet_of(subject)
    if sheet is None:
        raise Missing("service.subject-not-known-here", as_of=active.as_of)
    service.snapshots.suppression.require(subject.hex, active.notice_number)
    return EvaluatedSubject(uscc.code, active, sheet, mandate.id, valid_until)
