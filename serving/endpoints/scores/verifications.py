"""Verification (核验): yes or no, or a band, where a bank needs no more than that; the score itself does not leave.

Thresholds are whole steps of the scale and declared grades, so that asking often tells no more than the band does.
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
    asked, found = check_verification(service, call, body)
    answer = {
        "verification_id": call.id,
        "question": asked.question,
        "value": asked.value,
        "answer": _judge(found, asked),
        "model": found.snapshot.model,
        "snapshot": {"id": found.snapshot.snapshot, "as_of": found.snapshot.as_of.isoformat()},
        "version": found.snapshot.version,
        "valid_until": found.valid_until,
        "purpose": found.mandate.purpose,
        "mandate": found.mandate.id,
        "notice": NOTICE,
    }
    details = {**call.details, "question": asked.question, "status": 200, "digest": digest_json(answer)}
    entry = await service.ledger_writer.record(VERIFIED, call.id, by=call.by, details=details)
    receipt = {"entry": entry.id, "seq": entry.seq, "digest": details["digest"]}
    return canonical({**answer, "uscc": found.uscc, "receipt": receipt})


def check_verification(
    service: ScoringService, call: RequestContext, body: bytes
) -> tuple[VerificationRequestSchema, AuthorisedSubject]:
    """The question and the subject's place. Raises Malformed, and as `ScoringService.look_up`."""
    asked = parse_body(VerificationRequestSchema, body)
    return asked, service.look_up(call, asked.uscc, asked.purpose, asked.mandate)


def _judge(found: AuthorisedSubject, asked: VerificationRequestSchema) -> bool | dict[str, int]:
    """What the snapshot says to the question. Raises Malformed when the question has no such value."""
    line, value, grades = stored_score(found.snapshot, found.row), asked.value, found.snapshot.scorecard.grades
    if asked.question == "points_within" and value is None:
        start = int(line.points // STEP) * STEP
        return {"from": start, "below": start + STEP}
    if asked.question == "points_at_least" and isinstance(value, int) and value % STEP == 0:
        return line.points >= value
    if asked.question == "grade_at_least" and value in grades:
        return grades.index(line.grade) <= grades.index(str(value))
    raise Malformed("verifications.not-value-question", step=STEP, grades=", ".join(grades))
