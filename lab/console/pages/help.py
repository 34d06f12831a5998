"""Help (帮助): the keyboard shortcuts and the rules of review; also serves the style sheet, script and icon."""

from __future__ import annotations

from pathlib import Path

from fastapi import APIRouter
from fastapi.responses import FileResponse, Response

from credit.errors import Missing
from lab.console.access_rules import EVERYONE, get_page, public_page
from lab.console.request_session import CurrentSession

STATIC = Path(__file__).parents[1] / "static"
FILES = {"console.css": "text/css", "keys.js": "text/javascript", "mark.svg": "image/svg+xml"}
KEYS = ("j", "k", "enter", "e", "a", "r", "q", "slash", "help")
router = APIRouter()


@get_page(router, "/help", EVERYONE)
def help_page(session: CurrentSession) -> Response:
    """The page of shortcuts and review rules."""
    return session.page("help.html.j2", keys=KEYS)


@public_page(router, "/static/{name}")
def static(name: str) -> Response:
    """The style sheet, the script or the icon, which contain nothing of the lab."""
    if name not in FILES:
        raise Missing("help.no-such-file")
    return FileResponse(STATIC / name, media_type=FILES[name], headers={"Cache-Control": "max-age=300"})
