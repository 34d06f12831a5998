"""Every error as a problem document (RFC 9457), and bodies read no further than their limit."""

from __future__ import annotations

import asyncio
import logging
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

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
    elif isinstance(error, BeingReevaluated):
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


async def read_body(request: Request, limit: int, *, seconds: float) -> bytes:
    """The whole body. Raises TooLarge as soon as it is known to be over `limit` bytes, before reading the rest.

    Raises TooSlow when it has not arrived within so many `seconds`.
    """
    length = request.headers.get("content-length", "0")
    size, parts = 0, []
    if length.isascii() and length.isdigit() and int(length) > limit:
        raise too_large(limit)
    try:
        async with asyncio.timeout(seconds):
            async for part in request.stream():
                size += len(part)
                if size > limit:
                    raise too_large(limit)
                parts.append(part)
    except TimeoutError as slow:
        raise TooSlow("errors.body-did-not-arrive", seconds=seconds) from slow
    return b"".join(parts)


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
        return ProblemResponse(problem, status_code=error.status_code, headers=headers)

    async def unforeseen(request: Request, error: Exception) -> ProblemResponse:
        log.event("fault", level=logging.ERROR, error=type(error).__name__)
        return respond(CreditError("errors.service-failed"), request.headers.get("accept-language", ""))

    app.add_exception_handler(CreditError, of_ours)
    app.add_exception_handler(HTTPException, of_http)
    app.add_exception_handler(Exception, unforeseen)
