"""What answers a request for a token: the client known or not, and an entry of either outcome."""

from __future__ import annotations

from functools import partial
from typing import Any

from fastapi import Request
from fastapi.responses import JSONResponse

from credit.errors import Malformed
from serving import errors
from serving.audit.refusal_sampling import NOBODY
from serving.auth.auth_throttle import AuthThrottle
from serving.auth.token_requests import TokenRefused, TokenRequest
from serving.core.service import SERVICE, Desk
from serving.http import endpoint

LARGEST, ARRIVES = 8192, 10.0  # bytes of a request; seconds within which it has to have arrived


async def give_token(request: Request, desk: Desk, turns: AuthThrottle) -> JSONResponse:
    """A token, or the refusal of RFC 6749 §5.2. Raises TooLarge, TooSlow, and Overloaded when too many ask just now."""
    headers, fields = {"Cache-Control": "no-store", "Pragma": "no-cache"}, request.headers
    authorization = fields.get("authorization", "")
    details: dict[str, Any] = {"bank": None}
    try:
        _require_once(request)
        body = await errors.read_body(request, LARGEST, seconds=ARRIVES)
        asked = TokenRequest.parse(fields.get("content-type", ""), authorization, body)
        if desk.access.client(asked.name):  # a name from outside goes into the ledger only when it is one of ours
            details["bank"] = asked.name
        asking = endpoint.asking(request.scope)
        given = await turns.take(asking.peer, partial(desk.tokens.issue, asked, asking))
    except TokenRefused as refused:
        if desk.crowd.takes(NOBODY, refused.status):
            details |= {"error": refused.error}
            await desk.recorder.record("token.refused", "token", by=SERVICE, details=details)
        if refused.status == 401 and authorization:
            headers["WWW-Authenticate"] = 'Basic realm="haihe", charset="UTF-8"'
        told = {"error": refused.error, "error_description": refused.what}
        return JSONResponse(told, status_code=refused.status, headers=headers)
    await desk.recorder.record("token.issued", "token", by=SERVICE, details=details)
    return JSONResponse(given, headers=headers)


def _require_once(request: Request) -> None:
    try:
        endpoint.require_once(request.scope["headers"])
    except Malformed as twice:
        raise TokenRefused("invalid_request", f"the header {twice.why} stands twice") from twice
