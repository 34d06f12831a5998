"""The token endpoint (RFC 6749 §3.2): authenticates the client, and records either outcome in the ledger."""

from __future__ import annotations

from functools import partial
from typing import Any

from fastapi import Request
from fastapi.responses import JSONResponse

from credit.errors import CreditError, Malformed
from credit.messages import Text
from serving.audit.refusal_sampling import UNAUTHENTICATED
from serving.auth.auth_throttle import AuthThrottle
from serving.auth.token_requests import TokenRefused, TokenRequest
from serving.auth.tokens import RequestCredentials
from serving.core.request import SERVICE
from serving.core.service import ScoringService
from serving.errors import Overloaded
from serving.http import endpoint
from serving.http.body import Disconnected, read_body
from serving.http.products import BodyLimits
from serving.http.request_head import RequestHead

BOUNDS = BodyLimits(8192, 10.0)  # of a request


async def issue_token(request: Request, service: ScoringService, throttle: AuthThrottle) -> JSONResponse:
    """A token (RFC 6749 §5.1), or the refusal of §5.2.

    Raises TooLarge, TooSlow, and Overloaded when too many clients wait for authentication.
    """
    headers, head = {"Cache-Control": "no-store", "Pragma": "no-cache"}, RequestHead(request.scope["headers"])
    details: dict[str, Any] = {"bank": None}
    authorization = ""
    try:
        credentials, content_type, length = _read_head(request, head)
        authorization = credentials.authorization
        body = await read_body(length, request.receive, BOUNDS)
        token_request = TokenRequest.parse(content_type, authorization, body)
        if service.access.client(token_request.name):  # the ledger names registered clients only
            details["bank"] = token_request.name
        token = await throttle.take(credentials.peer, partial(service.tokens.issue, token_request, credentials))
    except TokenRefused as refused:
        if service.refusal_sampler.takes(UNAUTHENTICATED, refused.status):
            details |= {"error": refused.error}
            await service.ledger_writer.record("token.refused", "token", by=SERVICE, details=details)
        if refused.status == 401 and authorization:
            headers["WWW-Authenticate"] = 'Basic realm="haihe", charset="UTF-8"'
        problem = {"error": refused.error, "error_description": refused.what}
        return JSONResponse(problem, status_code=refused.status, headers=headers)
    except Disconnected:
        return JSONResponse({}, status_code=endpoint.DISCONNECTED)  # which the server does not send
    except Overloaded:
        raise
    except CreditError as refused:
        if service.refusal_sampler.takes(UNAUTHENTICATED, refused.status):
            details |= {"error": refused.slug}
            await service.ledger_writer.record("token.refused", "token", by=SERVICE, details=details)
        raise
    await service.ledger_writer.record("token.issued", "token", by=SERVICE, details=details)
    return JSONResponse(token, headers=headers)


def _read_head(request: Request, head: RequestHead) -> tuple[RequestCredentials, str, bytes | None]:
    """The credentials, the media type and the length of the body. Raises TokenRefused for a line sent twice."""
    try:
        credentials = endpoint.credentials_of(request.scope, head)
        return credentials, head.text(b"content-type"), head.one(b"content-length")
    except Malformed as repeated:
        raise TokenRefused("invalid_request", Text.of("token-requests.header-twice", name=repeated.why)) from repeated
