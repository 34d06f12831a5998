"""Every error as a page that states what happened, why, and what to do next."""

from __future__ import annotations

import logging

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.exceptions import HTTPException
from starlette.routing import Match

from credit.errors import CreditError, Malformed, Missing, Unauthenticated
from lab.console.login import start_login
from lab.console.request_session import RequestSession, anonymous_session, sign_in_again_url


class MethodNotAllowed(Malformed):
    """The page is called with a method that it does not accept (HTTP 405)."""

    status, slug = 405, "not-this-way"


def install(app: FastAPI) -> None:
    """Make ``app`` answer every error with a page: the project's own, the framework's, and unexpected exceptions."""

    def own_error(request: Request, error: Exception) -> Response:
        assert isinstance(error, CreditError)
        is_get = request.method == "GET" and not _is_callback(request)
        if isinstance(error, Unauthenticated) and is_get and not needs_recent_sign_in(error):
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


def needs_recent_sign_in(error: CreditError) -> bool:
    """True when the front desk refused because the sign-in is too old or had one factor: its page leads to another."""
    return error.message.id.startswith("recent-sign-in.")


def _is_callback(request: Request) -> bool:
    return request.url.path.endswith("/oauth_callback")


def _page_above(request: Request, prefix: str) -> str:
    """The nearest path, from the requested one upwards, that is a page: the target of a form lies under its page."""
    path = request.url.path
    while len(path) > len(prefix):
        scope = {"type": "http", "method": "GET", "path": path, "root_path": "", "headers": []}
        if any(route.matches(scope)[0] is Match.FULL for route in request.app.routes):
            return path
        path = path.rpartition("/")[0]
    return prefix


def _page(request: Request, error: CreditError) -> Response:
    session: RequestSession = getattr(request.state, "session", None) or anonymous_session(request)
    back = _page_above(request, session.prefix)
    again = sign_in_again_url(session, back) if needs_recent_sign_in(error) else ""
    return session.page("error.html.j2", status=error.status, error=error, back=back, again=again)
