"""Verification (核验): yes or no, or a band, where a bank needs no more than that; the score itself does not leave.

Thresholds are whole steps of the scale and declared grades, so that asking often tells no more than the band does.
"""

from __future__ import annotations

from credit.canonical import canonical, digest_json
from credit.errors import Malformed
from serving.core.service import Call, Desk, Found
from serving.responses.compose import NOTICE, stored_score
from serving.responses.request_schemas import VerificationRequestSchema, parse_body

VERIFIED = "verification.answered"
STEP = 50  # points


async def verify(desk: Desk, call: Call, body: bytes) -> bytes:
    """The answer to one question about one subject. Raises Malformed, and as `Desk.look` does."""
    asked, found = check_verification(desk, call, body)
    answer = {
        "verification_id": call.id,
        "question": asked.question,
        "value": asked.value,
        "answer": _judge(found, asked),
        "model": found.book.model,
        "snapshot": {"id": found.book.snapshot, "as_of": found.book.as_of.isoformat()},
        "version": found.book.version,
        "valid_until": found.until,
        "purpose": found.mandate.purpose,
        "mandate": found.mandate.id,
        "notice": NOTICE,
    }
    details = {**call.details, "question": asked.question, "status": 200, "digest": digest_json(answer)}
    entry = await desk.recorder.record(VERIFIED, call.id, by=call.by, details=details)
    receipt = {"entry": entry.id, "seq": entry.seq, "digest": details["digest"]}
    return canonical({**answer, "uscc": found.uscc, "receipt": receipt})


def check_verification(desk: Desk, call: Call, body: bytes) -> tuple[VerificationRequestSchema, Found]:
    """The question and the subject's place. Raises Malformed, and as `Desk.look` does."""
    asked = parse_body(VerificationRequestSchema, body)
    return asked, desk.look(call, asked.uscc, asked.purpose, asked.mandate)


def _judge(found: Found, asked: VerificationRequestSchema) -> bool | dict[str, int]:
    """What the snapshot says to the question. Raises Malformed when the question has no such value."""
    line, value, grades = stored_score(found.book, found.row), asked.value, found.book.card.grades
    if asked.question == "points_within" and value is None:
        start = int(line.points // STEP) * STEP
        return {"from": start, "below": start + STEP}
    if asked.question == "points_at_least" and isinstance(value, int) and value % STEP == 0:
        return line.points >= value
    if asked.question == "grade_at_least" and value in grades:
        return grades.index(line.grade) <= grades.index(str(value))
    raise Malformed("verifications.not-value-question", step=STEP, grades=", ".join(grades))
