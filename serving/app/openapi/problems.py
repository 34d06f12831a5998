"""How refusals and the token request are declared in the OpenAPI document."""

from __future__ import annotations

from typing import Any

from serving.auth.dpop import ASSERTION
from serving.responses.api_schema import published_name
from serving.responses.response_schemas import ProblemSchema

TOKEN_FORM: dict[str, Any] = {"type": "object", "required": ["grant_type"], "properties": {
    "grant_type": {"const": "client_credentials"}, "scope": {"type": "string", "examples": ["score"]},
    "client_id": {"type": "string"}, "client_secret": {"type": "string"},
    "client_assertion_type": {"const": ASSERTION}, "client_assertion": {"type": "string"}}}  # fmt: skip
_PROBLEM = {"schema": {"$ref": f"#/components/schemas/{published_name(ProblemSchema)}"}}
PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: {"description": text, "content": {"application/problem+json": _PROBLEM}}
    for status, text in {
        400: "an Upgrade, or a Host that is missing or was sent twice", 401: "no token, or not a good one",
        403: "no mandate for this bank, subject, purpose and day", 404: "the subject is not known",
        408: "the body did not arrive in time", 411: "a body in chunks, without its length",
        413: "the body is over 1 MiB",
        422: "the request cannot be read", 429: "asked too often; see Retry-After",
        503: "the snapshot is stale or not in service, too many calls are under way, or all answers are stopped",
    }.items()
}  # fmt: skip
TOKEN_RESPONSES: dict[int | str, dict[str, Any]] = {
    400: {"description": "an error of RFC 6749 §5.2", "content": {"application/json": {}}},
    401: {"description": "invalid_client", "content": {"application/json": {}}},
    408: PROBLEMS[408],
    411: PROBLEMS[411],
    413: PROBLEMS[413],
    503: {**PROBLEMS[503], "description": "too many ask for tokens just now"},
}
