"""What is about to be shown of a home is recorded first (文件展示记录): files each time, a listing when it has changed,
and likewise a file's size, time and digest, which a kernel can choose.

The gateway enters it in the ledger and paces how many bytes a person is shown; what it refuses is not sent.
"""

from __future__ import annotations

import base64
import hashlib
import http.client
import json
from typing import Any

from anyio.to_thread import run_sync
from tornado.web import HTTPError

from credit.messages import Text, language_here
from lab.workspace import gateway_reports

STATUS = " (size, time, digest)"  # follows the place of a file that is recorded without its content


async def require_recorded(model: Any, listings: dict[str, str]) -> None:
    """Record what a browser learns from a model; raises HTTPError over the pace (429), and where it cannot be
    recorded (503).

    ``listings`` has the digest of what was recorded last of each folder and of each file without its content.
    """
    sent = _sent(model)
    digest, place = hashlib.sha256(sent).hexdigest(), str(model["path"]) or "/"
    once = model["type"] == "directory" or model["content"] is None
    place += "" if model["content"] is not None else STATUS
    if once and listings.get(place) == digest:
        return  # the browser requests it every ten seconds, and has this one
    try:
        await run_sync(gateway_reports.report_shown_file, place, digest, len(sent))
    except gateway_reports.RefusedByGateway as refusal:
        raise HTTPError(refusal.status, str(refusal)) from refusal
    except (OSError, ValueError, http.client.HTTPException) as error:
        why = Text.of("workspace-contents.not-recorded", why=type(error).__name__)
        raise HTTPError(503, why.render(language_here())) from error
    if once:
        listings[place] = digest


def _sent(model: Any) -> bytes:
    """What a browser learns from a file or a listing: a text or a picture as its bytes, else as JSON."""
    content = model["content"]
    if content is None:
        return json.dumps([model["size"], str(model["last_modified"]), model["hash"]]).encode()
    if model["type"] == "file":
        return base64.b64decode(content) if model["format"] == "base64" else str(content).encode("utf-8", "replace")
    if model["type"] == "directory":
        content = [[each["name"], each.get("size"), str(each.get("last_modified"))] for each in content]
    return json.dumps(content, sort_keys=True, ensure_ascii=False).encode("utf-8", "replace")
