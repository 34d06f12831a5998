"""Logging in by the hub (登录): OAuth 2 authorization code with state and PKCE; what a browser keeps is sealed."""

from __future__ import annotations

import hmac
import secrets
from typing import Any
from urllib.parse import urlsplit

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from credit.errors import Unauthenticated
from lab.console.access_rules import EVERYONE, does, open_to_all
from lab.console.app_state import Room
from lab.console.cookies import LANGUAGE, LOGIN, SESSION
from lab.console.rendering.translations import LANGUAGES
from lab.console.request_session import SESSION_SECONDS, Visiting

LOGIN_SECONDS = 600
router = APIRouter()


def begin(request: Request) -> RedirectResponse:
    """Send a browser to the hub, to come back to the page it asked for."""
    room: Room = request.app.state.room
    wanted = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    state, verifier = secrets.token_urlsafe(24), secrets.token_urlsafe(48)
    answer = RedirectResponse(room.hub.authorize_url(state, verifier), status_code=302)
    kept = room.jar.seal(LOGIN, {"state": state, "verifier": verifier, "next": inside(wanted, room)})
    _keep(answer, room, LOGIN, kept, LOGIN_SECONDS)
    answer.delete_cookie(SESSION, path=room.hub.settings.service_prefix)
    return answer


@open_to_all(router, "/oauth_callback")
def come_back(visit: Visiting, code: str = "", state: str = "") -> Response:
    """The hub sent a browser back with a code: take the token, and a new session begins."""
    room, cookies = visit.room, visit.request.cookies
    kept = room.jar.open(LOGIN, cookies.get(LOGIN, ""), seconds=LOGIN_SECONDS)
    if kept is None or not hmac.compare_digest(kept["state"].encode(), state.encode()):
        raise Unauthenticated("login.login-not-begun-here")
    token = room.hub.token(code, kept["verifier"])
    room.hub.owner(token)
    answer = RedirectResponse(inside(kept["next"], room), status_code=302)
    _keep(answer, room, SESSION, room.jar.seal(SESSION, {"token": token}), SESSION_SECONDS)
    answer.delete_cookie(LOGIN, path=visit.prefix)
    return answer


@does(router, "/logout", EVERYONE)
def leave(visit: Visiting) -> Response:
    """End the session here, and the hub's too, which ends the token."""
    told = visit.room.jar.open(SESSION, visit.request.cookies[SESSION], seconds=SESSION_SECONDS)
    if told:
        visit.room.hub.revoke(told["token"])
    answer = RedirectResponse(f"{visit.room.hub.settings.hub}logout", status_code=303)
    answer.delete_cookie(SESSION, path=visit.prefix)
    return answer


@open_to_all(router, "/language/{language}")
def speak(visit: Visiting, language: str, next: str = "") -> Response:
    """Speak another language from now on, and show the same page."""
    answer = RedirectResponse(inside(next, visit.room), status_code=303)
    if language in LANGUAGES:
        _keep(answer, visit.room, LANGUAGE, language, 365 * 24 * 3600)
    return answer


def inside(wanted: str, room: Room) -> str:
    """``wanted`` if it is a path of ours and nothing else, the first page otherwise: no redirect leads outside."""
    prefix = room.hub.settings.service_prefix
    if not (wanted.startswith(prefix) and wanted.isascii() and wanted.isprintable()):
        return prefix
    path = urlsplit(wanted).path
    return prefix if "\\" in wanted or "//" in path or ".." in path else wanted


def _keep(answer: Response, room: Room, name: str, value: str, seconds: int) -> None:
    hub = room.hub.settings
    flags: dict[str, Any] = {"path": hub.service_prefix, "httponly": True, "samesite": "lax", "secure": hub.secure}
    answer.set_cookie(name, value, max_age=seconds, **flags)
