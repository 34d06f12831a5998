"""The token endpoint (RFC 6749 §3.2): authenticates the client, and records either outcome in the ledger."""

from __future__ import annotations

from functools import partial
from typing import Any

from fastapi import Request
from fastapi.responses import JSONResponse

from credit.errors import Malformed
from credit.messages import Text
from serving import errors
from serving.audit.refusal_sampling import UNAUTHENTICATED
from serving.auth.auth_throttle import AuthThrottle
from serving.auth.token_requests import TokenRefused, TokenRequest
from serving.core.request import SERVICE
from serving.core.service import ScoringService
from serving.http import endpoint

LARGEST_REQUEST, BODY_SECONDS = 8192, 10.0  # bytes of a request; seconds within which it must arrive


async def issue_token(request: Request, service: ScoringService, throttle: AuthThrottle) -> JSONResponse:
    """A token (RFC 6749 §5.1), or the refusal of §5.2.

    Raises TooLarge, TooSlow, and Overloaded when too many clients wait for authentication.
    """
    headers, fields = {"Cache-Control": "no-store", "Pragma": "no-cache"}, request.headers
    authorization = fields.get("authorization", "")
    details: dict[str, Any] = {"bank": None}
    try:
        _require_once(request)
        body = await errors.read_body(request, LARGEST_REQUEST, seconds=BODY_SECONDS)
        token_request = TokenRequest.parse(fields.get("content-type", ""), authorization, body)
        if service.access.client(token_request.name):  # the ledger names registered clients only
            details["bank"] = token_request.name
        credentials = endpoint.credentials_of(request.scope)
        token = await throttle.take(credentials.peer, partial(service.tokens.issue, token_request, credentials))
    except TokenRefused as refused:
        if service.refusal_sampler.takes(UNAUTHENTICATED, refused.status):
            details |= {"error": refused.error}
            await service.ledger_writer.record("token.refused", "token", by=SERVICE, details=details)
        if refused.status == 401 and authorization:
            headers["WWW-Authenticate"] = 'Basic realm="haihe", charset="UTF-8"'
        problem = {"error": refused.error, "error_description": refused.what}
        return JSONResponse(problem, status_code=refused.status, headers=headers)
    await service.ledger_writer.record("token.issued", "token", by=SERVICE, details=details)
    return JSONResponse(token, headers=headers)


def _require_once(request: Request) -> None:
    try:
        endpoint.require_once(request.scope["headers"])
    except Malformed as repeated:
        raise TokenRefused("invalid_request", Text.of("token-requests.header-twice", name=repeated.why)) from repeated
