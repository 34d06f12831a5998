"""Files that a browser is shown (文件展示记录): the server asks before it sends one, and the ledger has each."""

from __future__ import annotations

from fastapi import APIRouter, Request

from credit.errors import Malformed
from lab.gateway.display_pace import ShownFile
from lab.gateway.identity import Admitted
from lab.gateway.request_bodies import DIGEST, read_object, text_of

LONGEST_NAME = 1000  # characters of a place in the home
router = APIRouter()


@router.post("/v1/shown-files", status_code=201)
async def shown(request: Request, who: Admitted) -> dict[str, int]:
    """``{"name", "digest", "bytes"}``: records the file, or refuses it (429) with when the pace allows it again."""
    principal, project = who
    data = await read_object(request)
    name, digest, size = text_of(data, "name", most=LONGEST_NAME), text_of(data, "digest", most=64), data.get("bytes")
    if not isinstance(size, int) or isinstance(size, bool) or size < 0 or not DIGEST.fullmatch(digest):
        raise Malformed("shown-files.cannot-be-read")
    file = ShownFile(project.name, name.encode("utf-8", "replace").decode(), digest, size)
    zone = request.app.state.zone
    await principal.run_blocking(lambda: zone.display_pace.record(file, by=principal.actor))
    return {"bytes": size}
