"""Every error as a problem document (RFC 9457)."""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.routing import Match

from credit.errors import CreditError, Lapsed, Malformed, Refused, Unauthenticated
from credit.messages import Text, preferred
from serving.observability import log

LARGEST_BODY = 1 << 20  # bytes


class TooLarge(Malformed):
    """The body is over the limit (HTTP 413)."""

    status, slug = 413, "too-large"


class TooSlow(Malformed):
    """The body did not arrive in time (HTTP 408)."""

    status, slug = 408, "too-slow"


class Overloaded(Lapsed):
    """More calls are under way than can be answered in time (HTTP 503)."""

    slug = "overloaded"

    def __init__(self) -> None:
        super().__init__("errors.too-many-calls-under-way")


class Shortage(Lapsed):
    """This machine is short of space, memory or descriptors for the moment (HTTP 503): nothing was answered."""

    slug = "shortage"

    def __init__(self) -> None:
        super().__init__("errors.shortage")


class BeingReevaluated(Lapsed):
    """What is recorded of the subject has changed, and what rests on it is being made (HTTP 503)."""

    slug = "anew"

    def __init__(self) -> None:
        super().__init__("errors.subject-reevaluated")


class ScopeMissing(Unauthenticated):
    """The token is good but not for this (HTTP 403, RFC 6750 §3.1 insufficient_scope)."""

    status, slug = 403, "insufficient-scope"


class TooMany(Refused):
    """Too many requests (HTTP 429, RFC 6585 §4); `after` is the number of whole seconds to wait."""

    status, slug = 429, "too-many"

    def __init__(
        self,
        message: str | Text,
        *,
        after: int,
        why: Text | None = None,
        remedy: Text | None = None,
        **params: Any,
    ) -> None:
        waiting = Text.of("rate-limit.wait", seconds=after)
        super().__init__(
            message, why=why, remedy=remedy if remedy is not None and remedy.render() else waiting, **params
        )
        self.after = after


class ProblemResponse(JSONResponse):
    """A problem document."""

    media_type = "application/problem+json"


def headers_of(error: CreditError) -> dict[str, str]:
    """The headers that the response for an error takes."""
    headers = {"Cache-Control": "no-store"}
    if isinstance(error, ScopeMissing):
        headers["WWW-Authenticate"] = 'Bearer realm="haihe", error="insufficient_scope"'
    elif isinstance(error, Unauthenticated):
        headers["WWW-Authenticate"] = 'Bearer realm="haihe", error="invalid_token"'
    elif isinstance(error, Overloaded):
        headers["Retry-After"] = "1"
    elif isinstance(error, BeingReevaluated | Shortage):
        headers["Retry-After"] = "10"
    elif isinstance(error, Lapsed):
        headers["Retry-After"] = "60"
    elif isinstance(error, TooMany):
        headers["Retry-After"] = str(error.after)
    return headers


def respond(error: CreditError, accepted: str = "", **more: str) -> ProblemResponse:
    """The problem document for an error, in the language `accepted` (Accept-Language) prefers."""
    language = preferred(accepted)
    headers = {**headers_of(error), "Content-Language": language}
    return ProblemResponse({**error.problem(language), **more}, status_code=error.status, headers=headers)


def too_large(limit: int) -> TooLarge:
    """The refusal of a body over `limit` bytes."""
    return TooLarge("errors.body-too-large", limit=limit)


def _http_texts(status: int) -> tuple[Text, Text]:
    """The title and the remedy of an error that the framework raises; other statuses have their phrase of RFC 9110."""
    texts = {404: Text.of("errors.http-404"), 405: Text.of("errors.http-405")}
    remedies = {405: Text.of("errors.http-405.remedy")}
    return (
        texts.get(status, Text.verbatim(HTTPStatus(status).phrase)),
        remedies.get(status, Text.of("errors.http-404.remedy")),
    )


def _methods_of(app: FastAPI, request: Request) -> set[str]:
    """The methods of every route with this path, not only of the first."""
    routes = [route for route in app.routes if route.matches(request.scope)[0] is not Match.NONE]
    return {method for route in routes for method in getattr(route, "methods", ())}


def install(app: FastAPI) -> None:
    """Make `app` answer every error with a problem document: ours, those of Starlette, and unexpected exceptions."""

    async def of_ours(request: Request, error: Exception) -> ProblemResponse:
        assert isinstance(error, CreditError)
        return respond(error, request.headers.get("accept-language", ""))

    async def of_http(request: Request, error: Exception) -> ProblemResponse:
        assert isinstance(error, HTTPException)
        language = preferred(request.headers.get("accept-language", ""))
        title, remedy = _http_texts(error.status_code)
        problem: dict[str, Any] = {
            "type": "about:blank", "title": title.render(language), "status": error.status_code,
            "detail": "", "remedy": remedy.render(language),
        }  # fmt: skip
        headers = {**(error.headers or {}), "Content-Language": language}
        if error.status_code == 405:
            headers["Allow"] = ", ".join(sorted(_methods_of(app, request)))
        return ProblemResponse(problem, status_code=error.status_code, headers=headers)

    async def unforeseen(request: Request, error: Exception) -> ProblemResponse:
        log.event("fault", level=logging.ERROR, error=type(error).__name__)
        return respond(CreditError("errors.service-failed"), request.headers.get("accept-language", ""))

    app.add_exception_handler(CreditError, of_ours)
    app.add_exception_handler(HTTPException, of_http)
    app.add_exception_handler(Exception, unforeseen)
