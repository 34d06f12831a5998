"""Every error as a problem document (RFC 9457). The service zone has its own: a zone imports no other zone."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from credit.errors import CreditError, Malformed, Refused
from credit.log import ERROR, EventLog

LOG = EventLog("haihe.gateway")


class TooLarge(Malformed):
    """The body is over the limit (HTTP 413)."""

    status, slug = 413, "too-large"


class TooSlow(Malformed):
    """The body did not arrive in time (HTTP 408)."""

    status, slug = 408, "too-slow"


class Busy(Refused):
    """This workspace has reached a limit on concurrent or repeated requests (HTTP 429)."""

    status, slug = 429, "busy"


class ProblemResponse(JSONResponse):
    """A problem document (RFC 9457)."""

    media_type = "application/problem+json"


def respond(error: CreditError) -> ProblemResponse:
    """The response for an error. When a body was left unread, the response also closes the connection."""
    headers = {"Cache-Control": "no-store"}
    if isinstance(error, (TooLarge, TooSlow)):
        headers["Connection"] = "close"
    elif isinstance(error, Busy):
        headers["Retry-After"] = "2"
    return ProblemResponse(error.problem(), status_code=error.status, headers=headers)


def install(app: FastAPI) -> None:
    """Make ``app`` answer every error with a problem document: its own, Starlette's, and unexpected exceptions."""

    async def known(_: Request, error: Exception) -> ProblemResponse:
        assert isinstance(error, CreditError)
        return respond(error)

    async def of_http(_: Request, error: Exception) -> ProblemResponse:
        assert isinstance(error, HTTPException)
        problem: dict[str, Any] = {
            "type": "about:blank",
            "title": HTTPStatus(error.status_code).phrase,
            "status": error.status_code,
            "detail": "",
            "remedy": "See GET /openapi.json for what there is",
        }
        return ProblemResponse(problem, status_code=error.status_code, headers=dict(error.headers or {}))

    async def of_form(_: Request, error: Exception) -> ProblemResponse:
        assert isinstance(error, RequestValidationError)
        where = {".".join(str(part) for part in each["loc"]) + f": {each['msg']}" for each in error.errors()}
        return respond(Malformed("error-responses.request-cannot-be-read", why="; ".join(sorted(where))))

    async def unforeseen(_: Request, error: Exception) -> ProblemResponse:
        LOG.event("fault", level=ERROR, error=type(error).__name__)
        return respond(CreditError("error-responses.gateway-failed"))

    app.add_exception_handler(CreditError, known)
    app.add_exception_handler(HTTPException, of_http)
    app.add_exception_handler(RequestValidationError, of_form)
    app.add_exception_handler(Exception, unforeseen)
