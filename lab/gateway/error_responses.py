"""Every error as a problem document (RFC 9457). A zone imports no other, so the service has its own of these."""

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
    """The body did not come in time (HTTP 408)."""

    status, slug = 408, "too-slow"


class Busy(Refused):
    """This workspace has as much under way as it may (HTTP 429)."""

    status, slug = 429, "busy"


class ProblemResponse(JSONResponse):
    """A problem document."""

    media_type = "application/problem+json"


def respond(error: CreditError) -> ProblemResponse:
    """The response that stands for an error. One that left a body unread ends the connection too."""
    headers = {"Cache-Control": "no-store"}
    if isinstance(error, (TooLarge, TooSlow)):
        headers["Connection"] = "close"
    elif isinstance(error, Busy):
        headers["Retry-After"] = "2"
    return ProblemResponse(error.problem(), status_code=error.status, headers=headers)


def install(app: FastAPI) -> None:
    """Make ``app`` answer every error, ours, Starlette's or a fault of the code, with a problem document."""

    async def known(_: Request, error: Exception) -> ProblemResponse:
        assert isinstance(error, CreditError)
        return respond(error)

    async def of_http(_: Request, error: Exception) -> ProblemResponse:
        assert isinstance(error, HTTPException)
        told: dict[str, Any] = {
            "type": "about:blank",
            "title": HTTPStatus(error.status_code).phrase,
            "status": error.status_code,
            "detail": "",
            "remedy": "See GET /openapi.json for what there is",
        }
        return ProblemResponse(told, status_code=error.status_code, headers=dict(error.headers or {}))

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
