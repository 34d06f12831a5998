"""Verification (核验): yes, no, or a band of points, for a bank that needs no more; the score itself is not disclosed.

Thresholds are multiples of 50 points or declared grades, so that many questions disclose no more than the band does.
"""

from __future__ import annotations

from credit.canonical import canonical, digest_json
from credit.errors import Malformed
from serving.core.request import AuthorisedSubject, RequestContext
from serving.core.service import ScoringService
from serving.responses.compose import NOTICE, stored_score
from serving.responses.request_schemas import VerificationRequestSchema, parse_body

VERIFIED = "verification.answered"
STEP = 50  # points


async def verify(service: ScoringService, call: RequestContext, body: bytes) -> bytes:
    """The answer to one question about one subject. Raises Malformed, and as `ScoringService.look_up`."""
    request, subject = check_verification(service, call, body)
    answer = {
        "verification_id": call.id,
        "question": request.question,
        "value": request.value,
        "answer": _judge(subject, request),
        "model": subject.snapshot.model,
        "snapshot": {"id": subject.snapshot.snapshot, "as_of": subject.snapshot.as_of.isoformat()},
        "version": subject.snapshot.version,
        "valid_until": subject.valid_until,
        "purpose": subject.mandate.purpose,
        "mandate": subject.mandate.id,
        "notice": NOTICE,
    }
    details = {**call.details, "question": request.question, "status": 200, "digest": digest_json(answer)}
    entry = await service.ledger_writer.record(VERIFIED, call.id, by=call.by, details=details)
    receipt = {"entry": entry.id, "seq": entry.seq, "digest": details["digest"]}
    return canonical({**answer, "uscc": subject.uscc, "receipt": receipt})


def check_verification(
    service: ScoringService, call: RequestContext, body: bytes
) -> tuple[VerificationRequestSchema, AuthorisedSubject]:
    """The question, and the subject under its mandate. Raises Malformed, and as `ScoringService.look_up`."""
    request = parse_body(VerificationRequestSchema, body)
    return request, service.look_up(call, request.uscc, request.purpose, request.mandate)


def _judge(subject: AuthorisedSubject, request: VerificationRequestSchema) -> bool | dict[str, int]:
    """The answer by the snapshot. Raises Malformed when the question does not take this value."""
    score, value, grades = stored_score(subject.snapshot, subject.row), request.value, subject.snapshot.scorecard.grades
    if request.question == "points_within" and value is None:
        start = int(score.points // STEP) * STEP
        return {"from": start, "below": start + STEP}
    if request.question == "points_at_least" and isinstance(value, int) and value % STEP == 0:
        return score.points >= value
    if request.question == "grade_at_least" and value in grades:
        return grades.index(score.grade) <= grades.index(str(value))
    raise Malformed("verifications.not-value-question", step=STEP, grades=", ".join(grades))
