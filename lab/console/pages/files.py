"""The pictures of a parcel (图片), as previews that are drawn from what the airlock judged and would write.

No file itself is given before it was collected: reviewers read its page, which shows all of it.
"""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import Response

from credit.errors import Missing
from lab.console.access_rules import LAB, get_page
from lab.console.pages.parcels import PetitionAccess, airlock_of
from lab.console.rendering.file_view import picture_preview
from lab.console.rendering.headers import SANDBOX
from lab.console.request_session import CurrentSession

router = APIRouter()


@get_page(router, "/parcels/{id}/picture", LAB)
def picture(session: CurrentSession, id: str, file: str = "") -> Response:
    """A preview of a picture for its reviewers, and for its author once both have approved the parcel."""
    airlock = airlock_of(session.app_state)
    petition = airlock.get(id)
    access = PetitionAccess.of(session, petition, airlock.objection(petition, session.name))
    listed = petition.files.get(file)
    if listed is None or listed.kind not in ("png", "jpeg"):
        raise Missing("files.no-such-picture-in-parcel")
    preview = picture_preview(listed.kind, airlock.file(id, file, by=access.actor))
    return Response(preview, media_type="image/png", headers={"Content-Security-Policy": SANDBOX})
