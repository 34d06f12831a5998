"""The files of a collected parcel (已领取的文件): they leave through the author's browser, by a link that ends.

A link is made for one file and one person, is good for ten minutes, and every download is an entry before its first
byte is sent. The bytes are those of the sealed parcel in the outbox, which are verified against the seal's digests.
"""

from __future__ import annotations

from urllib.parse import quote, urlencode

from fastapi import APIRouter
from fastapi.responses import Response

from credit.actor import Role
from credit.errors import Missing
from credit.shelf import OpenedSeal, Shelf
from lab.airlock.exits import EXITS, require_open
from lab.console.access_rules import get_page, post_form
from lab.console.ledgers.ledger_view import LedgerView
from lab.console.pages.parcels import RESEARCHER, airlock_of
from lab.console.rendering.headers import SANDBOX
from lab.console.request_session import CurrentSession, RequestSession

LINK_SECONDS = 600
DOWNLOADED = "parcel.downloaded"
_USE = "collected-file"  # of the cookie jar's keys
router = APIRouter()


@post_form(router, "/parcels/{id}/link", RESEARCHER)
def make_link(session: CurrentSession, id: str) -> Response:
    """Make a link to a file of the user's own collected parcel, and follow it."""
    file = session.field("file")
    if file not in collected(session, id).seal.files:
        raise Missing("parcels.no-such-file-in-parcel")
    content = {"parcel": id, "file": file, "name": session.name}
    link = urlencode({"link": session.app_state.cookie_jar.seal(_USE, content)})
    return session.redirect(f"parcels/{id}/collected?{link}")


@get_page(router, "/parcels/{id}/collected", RESEARCHER)
def download(session: CurrentSession, id: str, link: str = "") -> Response:
    """The bytes of the link's file, after an entry in the ledger."""
    content = session.app_state.cookie_jar.open(_USE, link, seconds=LINK_SECONDS)
    if content is None or (content["parcel"], content["name"]) != (id, session.name):
        raise Missing("collected.link-ended", minutes=LINK_SECONDS // 60)
    opened, file = collected(session, id), content["file"]
    sent = (opened.path / file).read_bytes()
    details = {"file": file, "digest": opened.seal.files[file], "parcel": opened.seal.id}
    session.app_state.ledger.append(DOWNLOADED, id, by=session.actor(Role.RESEARCHER), details=details)
    headers = {
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(file, safe='')}",
        "Content-Security-Policy": SANDBOX,
    }
    return Response(sent, media_type="application/octet-stream", headers=headers)


def collected(session: RequestSession, id: str) -> OpenedSeal:
    """The sealed parcel of the user's own petition, its files verified.

    Raises :class:`Missing` for another's and before it was collected, :class:`Refused` for one who has left the
    project, and :class:`Lapsed` after the project's or the parcel's end and while the exits are closed.
    """
    app_state = session.app_state
    petition = airlock_of(app_state).get(id)
    if petition.author.name != session.name or not petition.sealed:
        raise Missing("parcels.no-such-parcel-among-yours")
    require_open(LedgerView.of(app_state.research, f"{EXITS}.").entries())
    app_state.projects.get(petition.project).require(session.name, app_state.today())
    return Shelf(app_state.settings.outbox, app_state.ring).open(petition.sealed, today=app_state.today())
