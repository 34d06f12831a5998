"""Every error as a page that says what, why and what to do next."""

from __future__ import annotations

import logging

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from credit.errors import CreditError, Malformed, Missing, Unauthenticated
from lab.console.login import begin
from lab.console.request_session import Visit, stranger

REMEDY = "Tell the platform team the time"


class NotThisWay(Malformed):
    """The page takes another method (HTTP 405)."""

    status, slug = 405, "not-this-way"


def install(app: FastAPI) -> None:
    """Make ``app`` answer every error, ours, the framework's or a fault of the code, with a page."""

    def known(request: Request, error: Exception) -> Response:
        assert isinstance(error, CreditError)
        if isinstance(error, Unauthenticated) and request.method == "GET" and not _is_callback(request):
            return begin(request)
        return _page(request, error)

    def of_framework(request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 422
        if status == 404:
            return _page(request, Missing("error-pages.no-such-page"))
        fault = (
            NotThisWay("error-pages.page-not-asked-so") if status == 405 else Malformed("error-pages.cannot-be-read")
        )
        return _page(request, fault)

    def unforeseen(request: Request, error: Exception) -> Response:
        logging.getLogger("console").error("fault: %s at %s", type(error).__name__, request.url.path)
        return _page(request, CreditError("error-pages.console-failed", remedy=REMEDY))

    app.add_exception_handler(CreditError, known)
    app.add_exception_handler(HTTPException, of_framework)
    app.add_exception_handler(RequestValidationError, of_framework)
    app.add_exception_handler(Exception, unforeseen)


def _is_callback(request: Request) -> bool:
    return request.url.path.endswith("/oauth_callback")


def _page(request: Request, error: CreditError) -> Response:
    visit: Visit = getattr(request.state, "visit", None) or stranger(request)
    back = request.url.path.rsplit("/", 1)[0] + "/"
    back = back if len(back) <= len(visit.prefix) else back.rstrip("/")  # a form's target lies under its page
    return visit.show("error.html.j2", status=error.status, error=error, back=back)
