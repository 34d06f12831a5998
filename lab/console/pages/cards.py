"""Model cards (模型说明书) of every sealed version: what it is, what it was trained on, and how well it does."""

from __future__ import annotations

import re

from fastapi import APIRouter
from fastapi.responses import Response

from credit.errors import Missing
from credit.seal import Kind
from lab.console.access_rules import READERS, get_page
from lab.console.production.version_files import sealed_file
from lab.console.request_session import CurrentSession

MOST = 200  # the newest versions on the page
CARD = "card.md"
_VERSION = re.compile(r"version-[0-9a-f]{64}")
router = APIRouter()


@get_page(router, "/cards", READERS)
def listing(session: CurrentSession) -> Response:
    """The newest versions."""
    versions = sorted(session.app_state.shelf.list(Kind.VERSION), key=lambda each: each.made_at, reverse=True)
    return session.page("cards.html.j2", versions=versions[:MOST])


@get_page(router, "/cards/{id}", READERS)
def card_page(session: CurrentSession, id: str) -> Response:
    """The card of one version, as it was sealed."""
    if not _VERSION.fullmatch(id):
        raise Missing("error-pages.no-such-page")
    opened = session.app_state.shelf.open(id, deep=False)
    return session.page("card.html.j2", version=opened.seal, card=sealed_file(opened, CARD).decode())
