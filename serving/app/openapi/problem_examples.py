"""An example of each refusal in the OpenAPI document, made by the error that the service raises for it."""

from __future__ import annotations

from datetime import date
from typing import Any

from credit.errors import CreditError, Lapsed, Malformed, Missing, Unauthenticated
from serving.errors import LARGEST_BODY, TooMany, TooSlow, too_large
from serving.responses.request_schemas import read_score_request
from serving.responses.response_schemas import ProblemSchema

_DAY = date(2026, 11, 1)


def problem_examples() -> dict[int, dict[str, Any]]:
    """By status, the problem document of a refusal as an English reader gets it."""
    errors = [
        Unauthenticated("tokens.no-bearer-token"),
        Missing("service.subject-not-known-here", as_of=_DAY),
        TooSlow("errors.body-did-not-arrive", seconds=10),
        too_large(LARGEST_BODY),
        _unreadable(),
        TooMany("rate-limit.too-many-requests", after=2, rate=200, burst=1000),
        CreditError("errors.service-failed"),
        Lapsed("credit-files.dossiers-stale", as_of=_DAY, last_day=_DAY),
    ]
    forbidden: dict[str, Any] = ProblemSchema.model_json_schema()["examples"][0]
    return {403: forbidden, **{error.status: error.problem("en") for error in errors}}


def _unreadable() -> Malformed:
    try:
        read_score_request(b'{"uscc": "91120116MA06XY128A", "purpose": "credit_granting"}')
    except Malformed as error:
        return error
    raise AssertionError("a request without a mandate can be read")
