"""Logging in through the hub (登录): OAuth 2 authorization code with state and PKCE (RFC 6749, RFC 7636).

What the browser stores between the steps is an encrypted cookie (see :mod:`lab.console.cookies`).
"""

from __future__ import annotations

import hmac
import secrets
from typing import Any
from urllib.parse import urlsplit

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from credit.errors import Unauthenticated
from lab.console.access_rules import EVERYONE, post_form, public_page
from lab.console.app_state import AppState
from lab.console.cookies import LANGUAGE, LOGIN, SESSION
from lab.console.rendering.translations import LANGUAGES
from lab.console.request_session import SESSION_SECONDS, CurrentSession

LOGIN_SECONDS = 600  # how long a login may take
router = APIRouter()


def start_login(request: Request) -> RedirectResponse:
    """Redirect the browser to the hub's login; afterwards it returns to the page it requested."""
    app_state: AppState = request.app.state.app_state
    requested = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    state, verifier = secrets.token_urlsafe(24), secrets.token_urlsafe(48)
    answer = RedirectResponse(app_state.hub.authorize_url(state, verifier), status_code=302)
    sealed = app_state.cookie_jar.seal(
        LOGIN, {"state": state, "verifier": verifier, "next": safe_path(requested, app_state)}
    )
    _set_cookie(answer, app_state, LOGIN, sealed, LOGIN_SECONDS)
    answer.delete_cookie(SESSION, path=app_state.hub.settings.service_prefix)
    return answer


@public_page(router, "/oauth_callback")
def finish_login(session: CurrentSession, code: str = "", state: str = "") -> Response:
    """Exchange the hub's code for a token and start a session.

    Raises :class:`Unauthenticated` when the login was not started in this browser, or when the hub refuses the code.
    """
    app_state, cookies = session.app_state, session.request.cookies
    sealed = app_state.cookie_jar.open(LOGIN, cookies.get(LOGIN, ""), seconds=LOGIN_SECONDS)
    if sealed is None or not hmac.compare_digest(sealed["state"].encode(), state.encode()):
        raise Unauthenticated("login.login-not-begun-here")
    token = app_state.hub.token(code, sealed["verifier"])
    app_state.hub.owner(token)
    answer = RedirectResponse(safe_path(sealed["next"], app_state), status_code=302)
    _set_cookie(answer, app_state, SESSION, app_state.cookie_jar.seal(SESSION, {"token": token}), SESSION_SECONDS)
    answer.delete_cookie(LOGIN, path=session.prefix)
    return answer


@post_form(router, "/logout", EVERYONE)
def log_out(session: CurrentSession) -> Response:
    """End the session here, then at the hub, which revokes the token."""
    data = session.app_state.cookie_jar.open(SESSION, session.request.cookies[SESSION], seconds=SESSION_SECONDS)
    if data:
        session.app_state.hub.forget_token(data["token"])
    answer = RedirectResponse(f"{session.app_state.hub.settings.hub}logout", status_code=303)
    answer.delete_cookie(SESSION, path=session.prefix)
    return answer


@public_page(router, "/language/{language}")
def choose_language(session: CurrentSession, language: str, next: str = "") -> Response:
    """Store the chosen language in a cookie for a year, and show the same page again."""
    answer = RedirectResponse(safe_path(next, session.app_state), status_code=303)
    if language in LANGUAGES:
        _set_cookie(answer, session.app_state, LANGUAGE, language, 365 * 24 * 3600)
    return answer


def safe_path(requested: str, app_state: AppState) -> str:
    """``requested`` when it is a path of the console, else the first page: no redirect leads to another site."""
    prefix = app_state.hub.settings.service_prefix
    if not (requested.startswith(prefix) and requested.isascii() and requested.isprintable()):
        return prefix
    path = urlsplit(requested).path
    return prefix if "\\" in requested or "//" in path or ".." in path else requested


def _set_cookie(answer: Response, app_state: AppState, name: str, value: str, seconds: int) -> None:
    hub = app_state.hub.settings
    flags: dict[str, Any] = {"path": hub.service_prefix, "httponly": True, "samesite": "lax", "secure": hub.secure}
    answer.set_cookie(name, value, max_age=seconds, **flags)
