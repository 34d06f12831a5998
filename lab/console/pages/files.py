"""The files of a parcel (文件): pictures for display, and the file itself for its reviewers only."""

from __future__ import annotations

from urllib.parse import quote

from fastapi import APIRouter
from fastapi.responses import Response

from credit.actor import Role
from credit.errors import Missing
from lab.console.access_rules import LAB, REVIEWERS, get_page
from lab.console.pages.parcels import PetitionAccess, airlock_of
from lab.console.rendering.headers import SANDBOX
from lab.console.rendering.redrawing import redraw_as_png
from lab.console.request_session import CurrentSession

router = APIRouter()


@get_page(router, "/parcels/{id}/picture", LAB)
def picture(session: CurrentSession, id: str, file: str = "") -> Response:
    """A picture, redrawn from its pixels."""
    airlock = airlock_of(session.app_state)
    petition = airlock.get(id)
    access = PetitionAccess.of(session, petition, airlock.objection(petition, session.name))
    listed = petition.files.get(file)
    if listed is None or listed.kind not in ("png", "jpeg"):
        raise Missing("files.no-such-picture-in-parcel")
    content = airlock.file(id, file, by=access.actor)
    return Response(redraw_as_png(content), media_type="image/png", headers={"Content-Security-Policy": SANDBOX})


@get_page(router, "/parcels/{id}/download", REVIEWERS)
def download(session: CurrentSession, id: str, file: str = "") -> Response:
    """The exact bytes that would leave, for reviewers of this parcel; the download is recorded in the ledger."""
    airlock = airlock_of(session.app_state)
    by = session.actor(Role.REVIEWER)
    content = airlock.file(id, file, by=by)
    details = {"file": file, "digest": airlock.get(id).files[file].digest}
    session.app_state.ledger.append("file.downloaded", id, by=by, details=details)
    headers = {
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(file, safe='')}",
        "Content-Security-Policy": SANDBOX,
    }
    return Response(content, media_type="application/octet-stream", headers=headers)
