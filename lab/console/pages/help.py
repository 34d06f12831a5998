"""Help (帮助): the keys, and what each page is for; and the two files the pages are drawn with."""

from __future__ import annotations

from pathlib import Path

from fastapi import APIRouter
from fastapi.responses import FileResponse, Response

from credit.errors import Missing
from lab.console.access_rules import EVERYONE, open_to_all, shows
from lab.console.request_session import Visiting

STATIC = Path(__file__).parents[1] / "static"
FILES = {"console.css": "text/css", "keys.js": "text/javascript", "mark.svg": "image/svg+xml"}
KEYS = ("j", "k", "enter", "a", "r", "q", "slash", "help")
router = APIRouter()


@shows(router, "/help", EVERYONE)
def help_page(visit: Visiting) -> Response:
    """The keys and the pages."""
    return visit.show("help.html.j2", keys=KEYS)


@open_to_all(router, "/static/{name}")
def static(name: str) -> Response:
    """Style and keys, which hold nothing of the lab."""
    if name not in FILES:
        raise Missing("help.no-such-file")
    return FileResponse(STATIC / name, media_type=FILES[name], headers={"Cache-Control": "max-age=300"})
