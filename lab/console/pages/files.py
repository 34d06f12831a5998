"""The bytes of a parcel's file (文件): a picture to look at, and the file itself for its reviewers alone."""

from __future__ import annotations

from urllib.parse import quote

from fastapi import APIRouter
from fastapi.responses import Response

from credit.actor import Role
from credit.errors import Missing
from lab.console.access_rules import EVERYONE, REVIEWERS, shows
from lab.console.pages.parcels import Standing, desk_of
from lab.console.rendering.headers import SANDBOX
from lab.console.rendering.redrawing import redrawn
from lab.console.request_session import Visiting

router = APIRouter()


@shows(router, "/parcels/{id}/picture", EVERYONE)
def picture(visit: Visiting, id: str, file: str = "") -> Response:
    """A picture drawn anew; a drawing (SVG) as the airlock wrote it, in a sandbox without scripts or addresses."""
    desk = desk_of(visit.room)
    petition = desk.get(id)
    standing = Standing.of(visit, petition, visit.room.projects.all())
    listed = petition.files.get(file)
    if listed is None or listed.kind not in ("png", "jpeg", "svg"):
        raise Missing("files.no-such-picture-in-parcel")
    content = desk.file(id, file, by=standing.actor)
    if listed.kind == "svg":
        policy = f"{SANDBOX}; style-src 'unsafe-inline'"
        return Response(content, media_type="image/svg+xml", headers={"Content-Security-Policy": policy})
    return Response(redrawn(content), media_type="image/png", headers={"Content-Security-Policy": SANDBOX})


@shows(router, "/parcels/{id}/download", REVIEWERS)
def download(visit: Visiting, id: str, file: str = "") -> Response:
    """The very bytes that would leave, for those who review this parcel; the ledger has who took them."""
    desk = desk_of(visit.room)
    by = visit.actor(Role.REVIEWER)
    content = desk.file(id, file, by=by)
    because = {"file": file, "digest": desk.get(id).files[file].digest}
    visit.room.ledger.append("file.downloaded", id, by=by, because=because)
    headers = {
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(file, safe='')}",
        "Content-Security-Policy": SANDBOX,
    }
    return Response(content, media_type="application/octet-stream", headers=headers)
