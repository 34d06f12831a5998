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
from credit.messages import Text, preferred

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


_TITLES = {404: Text.of("error-responses.http-404"), 405: Text.of("error-responses.http-405")}


class ProblemResponse(JSONResponse):
    """A problem document (RFC 9457)."""

    media_type = "application/problem+json"


def respond(error: CreditError, accepted: str = "") -> ProblemResponse:
    """The response for an error, in the language that ``accepted`` (Accept-Language) prefers.

    When a body was left unread, the response also closes the connection.
    """
    headers = {"Cache-Control": "no-store"}
    if isinstance(error, (TooLarge, TooSlow)):
        headers["Connection"] = "close"
    elif isinstance(error, Busy):
        headers["Retry-After"] = "2"
    return ProblemResponse(error.problem(preferred(accepted)), status_code=error.status, headers=headers)


def install(app: FastAPI) -> None:
    """Make ``app`` answer every error with a problem document: its own, Starlette's, and unexpected exceptions."""

    async def known(request: Request, error: Exception) -> ProblemResponse:
        assert isinstance(error, CreditError)
        return respond(error, request.headers.get("accept-language", ""))

    async def of_http(request: Request, error: Exception) -> ProblemResponse:
        assert isinstance(error, HTTPException)
        language = preferred(request.headers.get("accept-language", ""))
        title = _TITLES.get(error.status_code, Text.verbatim(HTTPStatus(error.status_code).phrase))
        problem: dict[str, Any] = {
            "type": "about:blank",
            "title": title.render(language),
            "status": error.status_code,
            "detail": "",
            "remedy": Text.of("error-responses.see-openapi").render(language),
        }
        return ProblemResponse(problem, status_code=error.status_code, headers=dict(error.headers or {}))

    async def of_form(request: Request, error: Exception) -> ProblemResponse:
        assert isinstance(error, RequestValidationError)
        where = {".".join(str(part) for part in each["loc"]) + f": {each['msg']}" for each in error.errors()}
        why = Text.several(Text.verbatim(each) for each in sorted(where))
        accepted = request.headers.get("accept-language", "")
        return respond(Malformed("error-responses.request-cannot-be-read", why=why), accepted)

    async def unforeseen(request: Request, error: Exception) -> ProblemResponse:
        LOG.event("fault", level=ERROR, error=type(error).__name__)
        accepted = request.headers.get("accept-language", "")
        return respond(CreditError("error-responses.gateway-failed"), accepted)

    app.add_exception_handler(CreditError, known)
    app.add_exception_handler(HTTPException, of_http)
    app.add_exception_handler(RequestValidationError, of_form)
    app.add_exception_handler(Exception, unforeseen)
