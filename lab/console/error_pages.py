"""Every error as a page that states what happened, why, and what to do next."""

from __future__ import annotations

import logging

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from credit.errors import CreditError, Malformed, Missing, Unauthenticated
from lab.console.login import start_login
from lab.console.request_session import RequestSession, anonymous_session


class MethodNotAllowed(Malformed):
    """The page is called with a method that it does not accept (HTTP 405)."""

    status, slug = 405, "not-this-way"


def install(app: FastAPI) -> None:
    """Make ``app`` answer every error with a page: the project's own, the framework's, and unexpected exceptions."""

    def own_error(request: Request, error: Exception) -> Response:
        assert isinstance(error, CreditError)
        if isinstance(error, Unauthenticated) and request.method == "GET" and not _is_callback(request):
            return start_login(request)
        return _page(request, error)

    def framework_error(request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 422
        if status == 404:
            return _page(request, Missing("error-pages.no-such-page"))
        fault = (
            MethodNotAllowed("error-pages.page-not-asked-so")
            if status == 405
            else Malformed("error-pages.cannot-be-read")
        )
        return _page(request, fault)

    def unexpected_error(request: Request, error: Exception) -> Response:
        logging.getLogger("console").error("fault: %s at %s", type(error).__name__, request.url.path)
        return _page(request, CreditError("error-pages.console-failed"))

    app.add_exception_handler(CreditError, own_error)
    app.add_exception_handler(HTTPException, framework_error)
    app.add_exception_handler(RequestValidationError, framework_error)
    app.add_exception_handler(Exception, unexpected_error)


def _is_callback(request: Request) -> bool:
    return request.url.path.endswith("/oauth_callback")


def _page(request: Request, error: CreditError) -> Response:
    session: RequestSession = getattr(request.state, "session", None) or anonymous_session(request)
    back = request.url.path.rsplit("/", 1)[0] + "/"
    back = back if len(back) <= len(session.prefix) else back.rstrip("/")  # the target of a form lies under its page
    return session.page("error.html.j2", status=error.status, error=error, back=back)
